//! Ids that are valid once they exist.

/// Declares an id: a string of so many letters, digits and hyphens, checked where it is made.
macro_rules! id {
    (
        $(#[$documentation:meta])*
        $name:ident, field $field:literal, schema $schema:literal described $described:literal, $minimum:literal to $maximum:literal, $rule:literal,
        example $example:literal
    ) => {
        $(#[$documentation])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            fn check(text: &str) -> Result<(), &'static str> {
                // The alphabet is ASCII, so that bytes are characters.
                let fits = ($minimum..=$maximum).contains(&text.len())
                    && text.bytes().all(|byte| $crate::charset::is_id_character(byte.into()));
                if fits { Ok(()) } else { Err($rule) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::Invalid;

            fn try_from(text: String) -> Result<Self, $crate::Invalid> {
                match Self::check(&text) {
                    Ok(()) => Ok(Self(text)),
                    Err(rule) => Err($crate::Invalid::new($field, rule)),
                }
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::Invalid;

            fn try_from(text: &str) -> Result<Self, $crate::Invalid> {
                Self::try_from(text.to_owned())
            }
        }

        impl TryFrom<&String> for $name {
            type Error = $crate::Invalid;

            fn try_from(text: &String) -> Result<Self, $crate::Invalid> {
                Self::try_from(text.as_str())
            }
        }

        impl From<&$name> for $name {
            fn from(id: &$name) -> Self {
                id.clone()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::Invalid;

            fn from_str(text: &str) -> Result<Self, $crate::Invalid> {
                Self::try_from(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::check(&text).map_err(serde::de::Error::custom)?;
                Ok(Self(text))
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .description(Some($described))
                    .min_length(Some($minimum))
                    .max_length(Some($maximum))
                    .pattern(Some($crate::charset::ID_PATTERN))
                    .examples([$example])
                    .into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                $schema.into()
            }
        }
    };
}

id! {
    /// Names an access client in a path or a query: 1 to 64 letters, digits and hyphens.
    ///
    /// In an answer the id is plain text, since the documentation gives no alphabet for it there;
    /// `AccessClientId::try_from` makes a path of it.
    // Not AccessClientId: generators make that of the field `id` of AccessClient.
    AccessClientId, field "client_id", schema "ClientId" described "Names an access client.", 1 to 64,
    "must have 1 to 64 letters, digits or hyphens",
    example "3f2c9a5e-7b1d-4c86-9f10-2a4b6c8d0e1f"
}

id! {
    /// A virtual private cloud: 1 to 64 letters, digits and hyphens.
    VpcId, field "vpc_id", schema "VpcId" described "A virtual private cloud.", 1 to 64, "must have 1 to 64 letters, digits or hyphens",
    example "0b7e3c52-91d4-4a68-8c1f-5d2e7f9a6b30"
}

id! {
    /// A subnet: exactly 36 letters, digits and hyphens.
    SubnetId, field "subnet_id", schema "SubnetId" described "A subnet.", 36 to 36, "must have exactly 36 letters, digits or hyphens",
    example "c4d81f6a-2e59-47b3-a0d7-8e6f1b3c9d25"
}

id! {
    /// The project that a record belongs to, from the header `X-Project-Id`: 1 to 64 letters, digits
    /// and hyphens. The documentation gives no limits; real ones are 32 hexadecimal digits.
    ProjectId, field "X-Project-Id", schema "ProjectId" described "A project.", 1 to 64, "must have 1 to 64 letters, digits or hyphens",
    example "7a6d1e0f4c3b48d29e5f8a7b6c5d4e3f"
}
