use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanBuilder, Float64Builder, Int64Builder, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ExpressionPlacement, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use glasshouse_model::Value;
use glasshouse_tables::attributes::{self, PackedWriter, ValueRef};

/// What a getter makes of an attribute's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum GetterKind {
    /// `attribute`: any value, as text.
    Text,
    /// `attribute_int`: integers only.
    Int,
    /// `attribute_double`: doubles and integers.
    Double,
    /// `attribute_bool`: booleans only.
    Bool,
}

/// Function that gives one attribute of a column of attributes.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Getter {
    kind: GetterKind,
    signature: Signature,
}

impl GetterKind {
    pub(crate) const ALL: [Self; 4] = [Self::Text, Self::Int, Self::Double, Self::Bool];

    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Int => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Bool => DataType::Boolean,
        }
    }

    /// Collects the values of `rows` rows that `value_of` gives.
    pub(crate) fn collect<'a>(self, rows: usize, value_of: impl Fn(usize) -> Option<ValueRef<'a>>) -> ArrayRef {
        match self {
            Self::Text => {
                let mut texts = StringBuilder::with_capacity(rows, rows * 16);
                for row in 0..rows {
                    texts.append_option(value_of(row).and_then(ValueRef::to_text));
                }
                Arc::new(texts.finish())
            }
            Self::Int => {
                let mut integers = Int64Builder::with_capacity(rows);
                for row in 0..rows {
                    integers.append_option(match value_of(row) {
                        Some(ValueRef::Int(value)) => Some(value),
                        _ => None,
                    });
                }
                Arc::new(integers.finish())
            }
            Self::Double => {
                let mut doubles = Float64Builder::with_capacity(rows);
                for row in 0..rows {
                    doubles.append_option(match value_of(row) {
                        Some(ValueRef::Double(value)) => Some(value),
                        Some(ValueRef::Int(value)) => Some(value as f64),
                        _ => None,
                    });
                }
                Arc::new(doubles.finish())
            }
            Self::Bool => {
                let mut booleans = BooleanBuilder::with_capacity(rows);
                for row in 0..rows {
                    booleans.append_option(match value_of(row) {
                        Some(ValueRef::Bool(value)) => Some(value),
                        _ => None,
                    });
                }
                Arc::new(booleans.finish())
            }
        }
    }
}

impl Getter {
    pub(crate) fn new(kind: GetterKind) -> Self {
        Self { kind, signature: Signature::exact(vec![DataType::Utf8, DataType::Utf8], Volatility::Immutable) }
    }

    pub(crate) fn kind(&self) -> GetterKind {
        self.kind
    }
}

impl ScalarUDFImpl for Getter {
    fn name(&self) -> &'static str {
        match self.kind {
            GetterKind::Text => "attribute",
            GetterKind::Int => "attribute_int",
            GetterKind::Double => "attribute_double",
            GetterKind::Bool => "attribute_bool",
        }
    }

    /// `attributes['k']`, as people wrote it.
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let names = args.iter().map(|argument| argument.schema_name().to_string()).collect::<Vec<_>>();
        Ok(match args {
            [_, Expr::Literal(key, _)] if self.kind == GetterKind::Text => format!("{}['{key}']", names[0]),
            _ => format!("{}({})", self.name(), names.join(",")),
        })
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.kind.data_type())
    }

    /// Towards the scan, which reads the one column that a file may have for the key instead of all
    /// attributes.
    fn placement(&self, args: &[ExpressionPlacement]) -> ExpressionPlacement {
        match args {
            [ExpressionPlacement::Column | ExpressionPlacement::MoveTowardsLeafNodes, ExpressionPlacement::Literal] => {
                ExpressionPlacement::MoveTowardsLeafNodes
            }
            _ => ExpressionPlacement::KeepInPlace,
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [json, key] = args.args.as_slice() else { return exec_err!("{} takes two arguments", self.name()) };
        let json = json.to_array(args.number_rows)?;
        let json = json.as_string::<i32>();
        let values = match key {
            ColumnarValue::Scalar(key) => match key.try_as_str().flatten() {
                Some(key) => self.get(json.len(), |row| json.is_valid(row).then(|| (json.value(row), key))),
                None => return Ok(ColumnarValue::Scalar(ScalarValue::try_new_null(&self.kind.data_type())?)),
            },
            ColumnarValue::Array(keys) => {
                let keys = keys.as_string::<i32>();
                self.get(json.len(), |row| {
                    (json.is_valid(row) && keys.is_valid(row)).then(|| (json.value(row), keys.value(row)))
                })
            }
        };
        Ok(ColumnarValue::Array(values))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCS: LazyLock<[Documentation; 4]> = LazyLock::new(|| {
            let doc = |name: &str, what: &str, example: &str| {
                Documentation::builder(
                    datafusion::logical_expr::scalar_doc_sections::DOC_SECTION_OTHER,
                    what,
                    format!("{name}(attributes, key)"),
                )
                .with_argument("attributes", "A column of attributes: `attributes` or `resource`")
                .with_argument("key", "The attribute's key; the first one counts where a key repeats")
                .with_sql_example(format!("```sql\n{example}\n```"))
                .build()
            };
            [
                doc(
                    "attribute",
                    "Value of an attribute as text, whatever its type: bytes as base64, lists and maps as JSON; NULL when it is absent. `attributes['k']` is short for `attribute(attributes, 'k')`.",
                    "SELECT count(*) FROM spans WHERE attributes['http.route'] = '/cart'",
                ),
                doc(
                    "attribute_int",
                    "Value of an integer attribute; NULL when it is absent or of another type.",
                    "SELECT count(*) FROM spans WHERE attribute_int(attributes, 'http.response.status_code') >= 500",
                ),
                doc(
                    "attribute_double",
                    "Value of a floating-point or integer attribute; NULL when it is absent or of another type.",
                    "SELECT avg(attribute_double(attributes, 'queue.wait_ms')) FROM spans",
                ),
                doc(
                    "attribute_bool",
                    "Value of a boolean attribute; NULL when it is absent or of another type.",
                    "SELECT count(*) FROM spans WHERE attribute_bool(attributes, 'cache.hit')",
                ),
            ]
        });
        Some(&DOCS[self.kind as usize])
    }
}

impl Getter {
    /// The values of the JSON objects and keys that `row_of` gives.
    fn get<'a>(&self, rows: usize, row_of: impl Fn(usize) -> Option<(&'a str, &'a str)>) -> ArrayRef {
        if self.kind == GetterKind::Text {
            let mut texts = StringBuilder::with_capacity(rows, rows * 16);
            for row in 0..rows {
                texts.append_option(row_of(row).and_then(|(json, key)| value_text(attributes::json_get(json, key)?)));
            }
            return Arc::new(texts.finish());
        }
        self.kind.collect(rows, |row| {
            let (json, key) = row_of(row)?;
            Some(match attributes::json_get(json, key)? {
                Value::Int(value) => ValueRef::Int(value),
                Value::Double(value) => ValueRef::Double(value),
                Value::Bool(value) => ValueRef::Bool(value),
                _ => ValueRef::Empty,
            })
        })
    }
}

/// A value as text, as [`ValueRef::to_text`] gives it.
fn value_text(value: Value) -> Option<String> {
    if let Value::String(text) = value {
        return Some(text);
    }
    let mut writer = PackedWriter::new();
    writer.push("", &value);
    attributes::get(writer.packed(), "")?.to_text().map(Into::into)
}
