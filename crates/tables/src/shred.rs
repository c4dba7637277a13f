//! Names of the columns that files give to frequent attribute keys.

use std::fmt;

use arrow::datatypes::DataType;

/// Type of a shredded column. Values of other types stay in the JSON column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ShredType {
    String,
    Int,
    Double,
    Bool,
}

/// A column of a file that holds the values of one attribute key and one type. In Parquet and in the
/// catalog it is called `str:KEY`, `int:KEY`, `double:KEY` or `bool:KEY`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShreddedColumn {
    /// Type of the values.
    pub kind: ShredType,
    /// The attribute's key.
    pub key: String,
}

impl ShredType {
    /// Every type.
    pub const ALL: [Self; 4] = [Self::String, Self::Int, Self::Double, Self::Bool];

    /// What stands before the colon in a column's name.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::String => "str",
            Self::Int => "int",
            Self::Double => "double",
            Self::Bool => "bool",
        }
    }

    /// Arrow type of the column.
    pub fn data_type(self) -> DataType {
        match self {
            Self::String => DataType::Utf8,
            Self::Int => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Bool => DataType::Boolean,
        }
    }
}

impl ShreddedColumn {
    /// The column of a name; `None` when the name is not of a shredded column.
    pub fn from_name(name: &str) -> Option<Self> {
        let (prefix, key) = name.split_once(':')?;
        let kind = ShredType::ALL.into_iter().find(|kind| kind.prefix() == prefix)?;
        Some(Self { kind, key: key.to_owned() })
    }
}

impl fmt::Display for ShreddedColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.prefix(), self.key)
    }
}
