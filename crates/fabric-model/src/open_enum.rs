//! Enums that may grow: what is not known yet survives being read and written.

/// Declares an enum of texts with a variant for whatever else the service says.
macro_rules! open_enum {
    (
        $(#[$documentation:meta])*
        $name:ident described $described:literal, example $example:literal {
            $($(#[$variant_documentation:meta])* $variant:ident = $text:literal,)+
        }
    ) => {
        $(#[$documentation])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_documentation])* $variant,)+
            /// Whatever the service says that this version does not know.
            Unknown(String),
        }

        impl $name {
            /// The documented ones.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant,)+];

            /// The rule of a request, which holds documented ones only.
            #[allow(dead_code, reason = "not every one of them stands in requests")]
            pub(crate) fn known(&self) -> Result<(), validator::ValidationError> {
                Self::each_known(std::slice::from_ref(self))
            }

            /// The same, for a list.
            #[allow(dead_code, reason = "not every one of them stands in lists")]
            pub(crate) fn each_known(all: &[Self]) -> Result<(), validator::ValidationError> {
                if !all.iter().any(|one| matches!(one, Self::Unknown(_))) {
                    return Ok(());
                }
                let rule = format!("must be one of {}", [$($text,)+].join(", "));
                Err(validator::ValidationError::new("known").with_message(rule.into()))
            }

            /// The text as the service spells it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Unknown(text) => text,
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $($text => Self::$variant,)+
                    _ => Self::Unknown(text),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as serde::Deserialize>::deserialize(deserializer).map(Self::from)
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .description(Some($described))
                    .enum_values(Some([$($text,)+]))
                    .examples([$example])
                    .into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {}
    };
}

pub(crate) use open_enum;
