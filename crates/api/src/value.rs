use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One attribute, in the form of OTLP/JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KeyValue {
    /// Name of the attribute.
    pub key: String,
    /// Its value.
    pub value: AnyValue,
}

/// A typed value, in the form of OTLP/JSON: at most one member is present, none means an empty value.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(no_recursion)]
pub struct AnyValue {
    /// Text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub string_value: Option<String>,
    /// A boolean.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub bool_value: Option<bool>,
    /// A 64-bit integer as a decimal string.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub int_value: Option<String>,
    /// A number, or the text `NaN`, `Infinity` or `-Infinity`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, schema_with = number_or_text)]
    pub double_value: Option<serde_json::Value>,
    /// Bytes as base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub bytes_value: Option<String>,
    /// A list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub array_value: Option<ArrayValue>,
    /// Keys and values.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub kvlist_value: Option<KeyValueList>,
}

/// A list of values.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[schema(no_recursion)]
pub struct ArrayValue {
    /// The values.
    pub values: Vec<AnyValue>,
}

/// Keys and values.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[schema(no_recursion)]
pub struct KeyValueList {
    /// The entries.
    pub values: Vec<KeyValue>,
}

fn number_or_text() -> utoipa::openapi::schema::Schema {
    use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
    Schema::OneOf(
        OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::Number))
            .item(ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["NaN", "Infinity", "-Infinity"])))
            .build(),
    )
}
