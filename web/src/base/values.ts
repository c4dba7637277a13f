/** A typed value in the form of OTLP/JSON: at most one member is there, none for an empty value. */
export interface AnyValue {
  stringValue?: string | null | undefined;
  boolValue?: boolean | null | undefined;
  intValue?: string | null | undefined;
  doubleValue?: number | string | null | undefined;
  bytesValue?: string | null | undefined;
  arrayValue?: { values: AnyValue[] } | null | undefined;
  kvlistValue?: { values: KeyValue[] } | null | undefined;
}

/** An attribute. */
export interface KeyValue {
  key: string;
  value: AnyValue;
}

/** Types of attribute values, in OpenTelemetry's words. */
export type ValueType = 'string' | 'int' | 'double' | 'bool' | 'bytes' | 'array' | 'map' | 'empty';

export function typeOf(value: AnyValue): ValueType {
  if (value.stringValue != null) return 'string';
  if (value.intValue != null) return 'int';
  if (value.doubleValue != null) return 'double';
  if (value.boolValue != null) return 'bool';
  if (value.arrayValue != null) return 'array';
  if (value.kvlistValue != null) return 'map';
  if (value.bytesValue != null) return 'bytes';
  return 'empty';
}

/** The value as text: strings as they are, lists and maps as JSON. This is also what filters compare with. */
export function textOf(value: AnyValue): string {
  if (value.stringValue != null) return value.stringValue;
  if (value.intValue != null) return value.intValue;
  if (value.doubleValue != null) return String(value.doubleValue);
  if (value.boolValue != null) return String(value.boolValue);
  if (value.bytesValue != null) return value.bytesValue;
  if (value.arrayValue != null || value.kvlistValue != null) return jsonOf(value, '', '');
  return '';
}

/** A list or map as JSON over several lines. */
export function prettyOf(value: AnyValue): string {
  return jsonOf(value, '  ', '');
}

/** Written by hand: integers keep every digit, and a map keeps its order. */
function jsonOf(value: AnyValue, step: string, indent: string): string {
  if (value.arrayValue != null) {
    return wrap(
      '[',
      ']',
      value.arrayValue.values.map((item) => jsonOf(item, step, indent + step)),
      step,
      indent,
    );
  }
  if (value.kvlistValue != null) {
    const items = value.kvlistValue.values.map(
      (entry) =>
        `${JSON.stringify(entry.key)}:${step === '' ? '' : ' '}${jsonOf(entry.value, step, indent + step)}`,
    );
    return wrap('{', '}', items, step, indent);
  }
  if (value.intValue != null) return value.intValue;
  if (typeof value.doubleValue === 'number' || value.boolValue != null) return textOf(value);
  if (typeOf(value) === 'empty') return 'null';
  return JSON.stringify(textOf(value));
}

function wrap(open: string, close: string, items: string[], step: string, indent: string): string {
  if (items.length === 0) return open + close;
  if (step === '') return open + items.join(',') + close;
  return `${open}\n${items.map((item) => indent + step + item).join(',\n')}\n${indent}${close}`;
}

/** The text of an attribute; `undefined` when it is not there. */
export function attributeText(attributes: readonly KeyValue[], key: string): string | undefined {
  const found = attributes.find((attribute) => attribute.key === key);
  return found === undefined ? undefined : textOf(found.value);
}
