//! The attribute [`macro@contract`] of `fabric-model`: what a field may hold is said once, and serde, validator
//! and utoipa all learn of it.

use proc_macro::TokenStream;
use proc_macro2::{Span, TokenStream as Tokens};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Error, Expr, ExprLit, ExprRange, Field, GenericArgument, Ident, ItemStruct, Lit,
    LitInt, Meta, Path, PathArguments, Token, Type,
};

/// Makes a struct a part of the contract.
///
/// The argument says what the struct is, and with that how it is read and written:
///
/// | `#[contract(…)]` | is | an `Option` | a `Vec` |
/// |---|---|---|---|
/// | `request` | the body of a request, or a part of it | may be absent, but not `null` | may be absent, and is written unless empty |
/// | `answer` | the body of an answer, or a part of it | may be absent or `null` | may be absent or `null`, and is always written |
/// | `query` | the parameters after the `?`; gets a `Default` | may be absent | may be given several times |
/// | `path` | the parameters in the path | | |
///
/// `#[rule(…)]` on a field says what it may hold:
///
/// | rule | means |
/// |---|---|
/// | `length = 1..=64` | a text of so many Unicode characters |
/// | `like = WorkspaceName` | a text with the rules of a type that `text!` declares |
/// | `items = 0..=100` | a list of so many items |
/// | `range = 1..=100` | a whole number from the first to the last |
/// | `minimum = 0` | in the document, the smallest number of a type that holds no smaller ones |
/// | `range = 1..` | a whole number from the first on |
/// | `number` | a number, which JSON can write |
/// | `each = TagKey` | a list of texts, each with the rules of a type that `text!` declares |
/// | `values = VariableValue` | a map of texts, each with the rules of a type that `text!` declares |
/// | `free` | a JSON object with whatever fields |
/// | `known` | in a request, no value of an `open_enum!` but those that are documented |
/// | `nested` | the fields of the struct, or of each struct in the list, have rules of their own |
/// | `required` | the document says that it is always there: of a list in a request, or of any field of an answer |
/// | `inline` | the document spells the type out where the field is, in place of naming it |
/// | `default = 10` | what a query has without it; of a request or an answer, what the document says so |
/// | `format = "int64"` | the format in the document |
/// | `example = "fabric"` | an example in the document; `json!(…)` for what is no text or number |
#[proc_macro_attribute]
pub fn contract(kind: TokenStream, item: TokenStream) -> TokenStream {
    let expanded = syn::parse(kind)
        .and_then(|kind| syn::parse(item).and_then(|item| expand(kind, item)))
        .unwrap_or_else(Error::into_compile_error);
    expanded.into()
}

/// What a struct is in the contract.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Request,
    Answer,
    Query,
    Path,
}

impl Parse for Kind {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name: Ident = input.parse()?;
        match name.to_string().as_str() {
            "request" => Ok(Self::Request),
            "answer" => Ok(Self::Answer),
            "query" => Ok(Self::Query),
            "path" => Ok(Self::Path),
            _ => Err(Error::new(name.span(), "expected request, answer, query or path")),
        }
    }
}

/// What a field is besides its innermost type.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Optional,
    /// A list that may be absent, so that an empty one is told from none.
    OptionalList,
    List,
    Single,
}

impl Shape {
    fn of(field: &Field) -> Self {
        match outermost(&field.ty).as_deref() {
            Some("Option") if argument(&field.ty).and_then(outermost).as_deref() == Some("Vec") => {
                Self::OptionalList
            }
            Some("Option") => Self::Optional,
            Some("Vec") => Self::List,
            _ => Self::Single,
        }
    }

    fn is_list(self) -> bool {
        matches!(self, Self::List | Self::OptionalList)
    }

    fn is_optional(self) -> bool {
        matches!(self, Self::Optional | Self::OptionalList)
    }
}

/// The name of a type without its arguments.
fn outermost(of: &Type) -> Option<String> {
    let Type::Path(path) = of else { return None };
    Some(path.path.segments.last()?.ident.to_string())
}

/// The first argument of a type: what is optional, or the items of a list.
fn argument(of: &Type) -> Option<&Type> {
    let Type::Path(path) = of else { return None };
    match &path.path.segments.last()?.arguments {
        PathArguments::AngleBracketed(arguments) => match arguments.args.first()? {
            GenericArgument::Type(inner) => Some(inner),
            _ => None,
        },
        _ => None,
    }
}

/// One of the rules of a field.
struct Rule {
    name: Ident,
    value: Option<Expr>,
}

impl Parse for Rule {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse()?;
        let value =
            if input.parse::<Option<Token![=]>>()?.is_some() { Some(input.parse()?) } else { None };
        Ok(Self { name, value })
    }
}

/// The arguments of the attributes that a field gets.
#[derive(Default)]
struct Attributes {
    serde: Vec<Tokens>,
    validate: Vec<Tokens>,
    schema: Vec<Tokens>,
    default: Option<Expr>,
    is_nested: bool,
    is_required: bool,
    /// What the document spells out where the field is, in place of naming it.
    spelled_out: Option<SpelledOut>,
    /// The fewest and the most items of a list.
    items: Option<(LitInt, LitInt)>,
}

/// A schema that a function gives.
enum SpelledOut {
    /// That of a type, or a list of them.
    Type(Type),
    /// An object whose values are of a type.
    Values(Type),
    /// An object with whatever fields.
    Free,
}

/// What the fields of a struct add to it.
#[derive(Default)]
struct Fields {
    /// What a query has where nothing is given.
    defaults: Vec<Tokens>,
    /// The types that the document must have a schema of.
    named: Vec<Type>,
    /// Functions that give the schemas of fields.
    functions: Vec<Tokens>,
    has_nested: bool,
}

fn expand(kind: Kind, mut item: ItemStruct) -> syn::Result<Tokens> {
    let mut fields = Fields::default();
    for field in &mut item.fields {
        fields.add(kind, &item.ident, field)?;
    }
    let name = &item.ident;
    let Fields { defaults, named, functions, has_nested } = &fields;
    let functions = (!functions.is_empty()).then(|| quote!(impl #name { #(#functions)* }));
    let (derive, more, implementation) = match kind {
        Kind::Request | Kind::Answer => {
            (quote!(utoipa::ToSchema), quote!(), quote!(impl crate::Payload for #name {}))
        }
        Kind::Query | Kind::Path => {
            let place = if kind == Kind::Query { quote!(Query) } else { quote!(Path) };
            (
                quote!(utoipa::IntoParams),
                quote!(#[cfg_attr(feature = "openapi", into_params(parameter_in = #place))]),
                implement_parameters(name, named),
            )
        }
    };
    let default = (kind == Kind::Query).then(|| {
        item.attrs.push(syn::parse_quote!(#[serde(default)]));
        quote! {
            impl ::core::default::Default for #name {
                fn default() -> Self {
                    Self { #(#defaults),* }
                }
            }
        }
    });
    // What the derived code calls on a nested struct is a method of this trait.
    let validate = has_nested.then(|| {
        quote!(
            use validator::Validate as _;
        )
    });
    Ok(quote! {
        #validate
        #[derive(
            Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, validator::Validate,
        )]
        #[cfg_attr(feature = "openapi", derive(#derive))]
        #more
        #item
        #default
        #implementation
        #functions
    })
}

/// Parameters that name the schemas of their fields.
fn implement_parameters(name: &Ident, named: &[Type]) -> Tokens {
    quote! {
        impl crate::Parameters for #name {
            #[cfg(feature = "openapi")]
            fn schemas() -> Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)> {
                vec![#((
                    <#named as utoipa::ToSchema>::name().into_owned(),
                    <#named as utoipa::PartialSchema>::schema(),
                )),*]
            }
        }
    }
}

impl Fields {
    /// Replaces the rules of a field by the attributes that follow from them.
    fn add(&mut self, kind: Kind, of: &Ident, field: &mut Field) -> syn::Result<()> {
        let rules = take_rules(&mut field.attrs)?;
        let mut attributes = Attributes::default();
        for rule in &rules {
            attributes.add(rule, field)?;
        }
        if attributes.spelled_out.is_some() && !attributes.schema.is_empty() {
            let message = "the type has limits and an example already";
            return Err(Error::new_spanned(&field.ty, message));
        }
        let shape = Shape::of(field);
        if kind == Kind::Request
            && shape == Shape::List
            && !attributes.is_required
            && attributes.items.as_ref().is_some_and(|(min, _)| min.base10_digits() != "0")
        {
            let message = "a list that may be absent, but not empty, is an `Option`";
            return Err(Error::new_spanned(&field.ty, message));
        }
        attributes.shape(kind, shape);
        self.functions.extend(attributes.spell_out(of, field, shape));
        self.has_nested |= attributes.is_nested;
        let name = &field.ident;
        self.defaults.push(match &attributes.default {
            Some(Expr::Lit(literal)) if matches!(literal.lit, Lit::Str(_)) => {
                quote!(#name: ::core::convert::From::from(#literal))
            }
            Some(value) => quote!(#name: #value),
            None => quote!(#name: ::core::default::Default::default()),
        });
        if attributes.spelled_out.is_none() {
            self.named.extend(named_type(field).cloned());
        }
        attributes.put_on(kind, field);
        Ok(())
    }
}

/// The innermost type of a field: that of what is optional, or of the items of a list.
fn innermost(of: &Type) -> &Type {
    argument(of).map_or(of, innermost)
}

/// The innermost type of a field, if it is a type of the contract: one with a schema of its own.
fn named_type(field: &Field) -> Option<&Type> {
    const PLAIN: [&str; 7] = ["String", "bool", "u32", "u64", "i32", "i64", "f64"];
    let innermost = innermost(&field.ty);
    let name = quote!(#innermost).to_string();
    (!PLAIN.contains(&name.as_str())).then_some(innermost)
}

/// The doc comment among attributes.
fn description(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Takes the rules of a field out of its attributes.
fn take_rules(attributes: &mut Vec<Attribute>) -> syn::Result<Vec<Rule>> {
    let mut rules = Vec::new();
    for attribute in attributes.extract_if(.., |attribute| attribute.path().is_ident("rule")) {
        rules.extend(attribute.parse_args_with(Punctuated::<Rule, Token![,]>::parse_terminated)?);
    }
    Ok(rules)
}

impl Attributes {
    /// Adds what a rule says.
    fn add(&mut self, rule: &Rule, field: &Field) -> syn::Result<()> {
        let wrong = |expected: &str| Err(Error::new(rule.name.span(), expected));
        match (rule.name.to_string().as_str(), &rule.value) {
            ("length", Some(Expr::Range(range))) => {
                let (min, max) = ends(range)?;
                self.length(&min, &max, "length");
            }
            ("items", Some(Expr::Range(range))) => {
                let (min, max) = ends(range)?;
                self.items = Some((min, max));
            }
            ("range", Some(Expr::Range(range))) => self.range(range)?,
            ("number", None) => {
                self.validate.push(quote!(custom(function = "crate::json::finite")));
            }
            ("each", Some(Expr::Path(path))) => {
                self.check(&path.path, "each");
                self.spelled_out = Some(SpelledOut::Type(type_at(&path.path)));
            }
            ("values", Some(Expr::Path(path))) => {
                self.check(&path.path, "values");
                self.spelled_out = Some(SpelledOut::Values(type_at(&path.path)));
            }
            ("free", None) => self.spelled_out = Some(SpelledOut::Free),
            ("known", None) => {
                let function = if Shape::of(field).is_list() { "each_known" } else { "known" };
                if let Type::Path(path) = innermost(&field.ty) {
                    self.check(&path.path, function);
                }
            }
            ("like", Some(Expr::Path(path))) => self.like(&path.path),
            ("nested", None) => {
                self.is_nested = true;
                self.validate.push(quote!(nested));
            }
            ("required", None) => self.is_required = true,
            ("inline", None) => {
                self.spelled_out = Some(SpelledOut::Type(innermost(&field.ty).clone()));
            }
            ("default", Some(value)) => self.default = Some(value.clone()),
            ("minimum", Some(value)) => self.schema.push(quote!(minimum = #value)),
            ("format", Some(value)) => self.schema.push(quote!(format = #value)),
            ("example", Some(value)) => self.schema.push(quote!(example = #value)),
            _ => return wrong("no such rule: see the documentation of `contract`"),
        }
        Ok(())
    }

    /// A smallest and a largest number of `unit`s.
    fn length(&mut self, min: &LitInt, max: &LitInt, unit: &str) {
        let [smallest, largest] =
            ["min", "max"].map(|end| Ident::new(&format!("{end}_{unit}"), Span::call_site()));
        // Nothing is shorter than nothing.
        let is_open = min.base10_digits() == "0";
        self.validate.push(if min.base10_digits() == max.base10_digits() {
            quote!(length(equal = #max))
        } else if is_open {
            quote!(length(max = #max))
        } else {
            quote!(length(min = #min, max = #max))
        });
        if !is_open {
            self.schema.push(quote!(#smallest = #min));
        }
        self.schema.push(quote!(#largest = #max));
    }

    /// A smallest and, unless there is no end, a largest number.
    fn range(&mut self, range: &ExprRange) -> syn::Result<()> {
        let Some(min) = &range.start else {
            return Err(Error::new_spanned(range, "expected a range such as 1..=64 or 1.."));
        };
        let is_zero = matches!(&**min, Expr::Lit(literal)
            if matches!(&literal.lit, Lit::Int(number) if number.base10_digits() == "0"));
        match (&range.end, &range.limits) {
            (Some(max), syn::RangeLimits::Closed(_)) => {
                self.validate.push(if is_zero {
                    quote!(range(max = #max))
                } else {
                    quote!(range(min = #min, max = #max))
                });
                self.schema.push(quote!(minimum = #min, maximum = #max));
            }
            (None, _) => {
                self.validate.push(quote!(range(min = #min)));
                self.schema.push(quote!(minimum = #min));
            }
            _ => return Err(Error::new_spanned(range, "expected a range such as 1..=64 or 1..")),
        }
        Ok(())
    }

    /// A function of a type as a rule.
    fn check(&mut self, path: &Path, function: &str) {
        let function = format!("{}::{function}", quote!(#path).to_string().replace(' ', ""));
        self.validate.push(quote!(custom(function = #function)));
    }

    /// The rules and the schema of a type that `text!` declares.
    fn like(&mut self, path: &Path) {
        self.check(path, "length");
        self.check(path, "characters");
        self.spelled_out = Some(SpelledOut::Type(type_at(path)));
    }

    /// A function that gives the schema of a type with the description of the field: `utoipa` by itself makes
    /// an `allOf` of the two, of which the second is an object.
    fn spell_out(&mut self, of: &Ident, field: &Field, shape: Shape) -> Option<Tokens> {
        let spelled_out = self.spelled_out.as_ref()?;
        let schema = match spelled_out {
            SpelledOut::Type(of) if shape.is_list() => {
                let items = &self.items;
                let [min, max] = match items {
                    Some((min, max)) => [quote!(Some(#min)), quote!(Some(#max))],
                    None => [quote!(None), quote!(None)],
                };
                quote!(crate::document::list_of(
                    <#of as utoipa::PartialSchema>::schema(), #min, #max,
                ))
            }
            SpelledOut::Type(of) => quote!(<#of as utoipa::PartialSchema>::schema()),
            SpelledOut::Values(of) => {
                quote!(crate::document::map_of(<#of as utoipa::PartialSchema>::schema()))
            }
            SpelledOut::Free => quote!(crate::document::any_object()),
        };
        let function =
            Ident::new(&format!("schema_of_{}", field.ident.as_ref()?), Span::call_site());
        let path = format!("{of}::{function}");
        let path: Path = syn::parse_str(&path).ok()?;
        self.schema.insert(0, quote!(schema_with = #path));
        let description = description(&field.attrs);
        let default = self
            .default
            .as_ref()
            .map_or_else(|| quote!(None), |value| quote!(Some(serde_json::json!(#value))));
        Some(quote! {
            #[cfg(feature = "openapi")]
            fn #function() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                crate::document::described(
                    #schema,
                    #description,
                    #default,
                )
            }
        })
    }

    /// How many items a list has. In an answer it may be absent whatever the fewest are, and is then empty.
    fn items(&mut self, kind: Kind, shape: Shape) {
        let Some((min, max)) = self.items.clone() else { return };
        let (rules, schema) = (self.validate.len(), self.schema.len());
        self.length(&min, &max, "items");
        if kind == Kind::Answer && shape == Shape::List {
            self.validate.truncate(rules);
            self.validate.push(quote!(length(max = #max)));
        }
        if self.spelled_out.is_some() {
            self.schema.truncate(schema);
        }
    }

    /// What follows from the struct, and from whether the field is optional or a list.
    fn shape(&mut self, kind: Kind, shape: Shape) {
        self.items(kind, shape);
        // A schema that is spelled out says what it holds itself.
        if self.spelled_out.is_none() {
            self.schema.extend(self.default.iter().map(|value| quote!(default = #value)));
            if shape.is_optional() {
                self.schema.push(quote!(nullable = false));
            }
        } else if shape.is_optional() && kind != Kind::Answer {
            self.schema.push(quote!(required = false));
        }
        match (kind, shape) {
            (Kind::Request, Shape::Optional | Shape::OptionalList) => {
                self.serde.push(quote!(default, skip_serializing_if = "Option::is_none"));
                let read = match (self.is_nested, shape) {
                    (true, Shape::OptionalList) => "crate::json::present_objects",
                    (true, _) => "crate::json::present_object",
                    (false, _) => "crate::json::present",
                };
                self.serde.push(quote!(deserialize_with = #read));
            }
            (Kind::Request, Shape::List) => {
                if !self.is_required {
                    self.serde.push(quote!(default, skip_serializing_if = "Vec::is_empty"));
                    self.schema.push(quote!(required = false));
                }
                if self.is_nested {
                    self.serde.push(quote!(deserialize_with = "crate::json::objects"));
                }
            }
            (Kind::Request, Shape::Single) => {
                if self.is_nested {
                    self.serde.push(quote!(deserialize_with = "crate::json::object"));
                }
            }
            (Kind::Answer, shape) => {
                self.serde.push(quote!(default));
                match shape {
                    Shape::Optional | Shape::OptionalList => {
                        self.serde.push(quote!(skip_serializing_if = "Option::is_none"));
                    }
                    _ => self.serde.push(quote!(deserialize_with = "crate::json::default_or_null")),
                }
                let is_required = self.is_required;
                self.schema.push(quote!(required = #is_required));
            }
            (Kind::Query, Shape::Optional | Shape::OptionalList) => {
                self.serde.push(quote!(skip_serializing_if = "Option::is_none"));
            }
            (Kind::Query, _) => self.schema.push(quote!(required = false)),
            (Kind::Path, _) => {}
        }
    }

    fn put_on(self, kind: Kind, field: &mut Field) {
        let Self { serde, validate, schema, .. } = self;
        if !serde.is_empty() {
            field.attrs.push(syn::parse_quote!(#[serde(#(#serde),*)]));
        }
        if !validate.is_empty() {
            field.attrs.push(syn::parse_quote!(#[validate(#(#validate),*)]));
        }
        if !schema.is_empty() {
            let name = match kind {
                Kind::Request | Kind::Answer => quote!(schema),
                Kind::Query | Kind::Path => quote!(param),
            };
            field
                .attrs
                .push(syn::parse_quote!(#[cfg_attr(feature = "openapi", #name(#(#schema),*))]));
        }
    }
}

fn type_at(path: &Path) -> Type {
    syn::parse_quote!(#path)
}

/// The ends of a range of whole numbers, both of which belong to it.
fn ends(range: &ExprRange) -> syn::Result<(LitInt, LitInt)> {
    let number = |end: &Option<Box<Expr>>| match end.as_deref() {
        Some(Expr::Lit(literal)) => match &literal.lit {
            Lit::Int(number) => Some(number.clone()),
            _ => None,
        },
        _ => None,
    };
    match (number(&range.start), number(&range.end), &range.limits) {
        (Some(start), Some(end), syn::RangeLimits::Closed(_)) => Ok((start, end)),
        _ => Err(Error::new_spanned(range, "expected a range such as 1..=64")),
    }
}
