import { expect, it } from 'vitest';
import { type AnyValue, prettyOf, textOf, typeOf } from './values';

it.each<[AnyValue, string, string]>([
  [{ stringValue: '' }, 'string', ''],
  [{ stringValue: 'a "b"' }, 'string', 'a "b"'],
  [{ intValue: '9223372036854775807' }, 'int', '9223372036854775807'],
  [{ doubleValue: 0.25 }, 'double', '0.25'],
  [{ doubleValue: 'NaN' }, 'double', 'NaN'],
  [{ boolValue: false }, 'bool', 'false'],
  [{ bytesValue: 'AAE=' }, 'bytes', 'AAE='],
  [
    { arrayValue: { values: [{ stringValue: 'x' }, { intValue: '9007199254740993' }] } },
    'array',
    '["x",9007199254740993]',
  ],
  [
    {
      kvlistValue: {
        values: [
          { key: 'k', value: { boolValue: true } },
          { key: 'e', value: {} },
        ],
      },
    },
    'map',
    '{"k":true,"e":null}',
  ],
  [{}, 'empty', ''],
])('%j', (value, type, text) => {
  expect(typeOf(value)).toBe(type);
  expect(textOf(value)).toBe(text);
});

it('lays out nested values', () => {
  const value = {
    kvlistValue: { values: [{ key: 'list', value: { arrayValue: { values: [{ intValue: '1' }] } } }] },
  };
  expect(prettyOf(value)).toBe('{\n  "list": [\n    1\n  ]\n}');
  expect(prettyOf({ arrayValue: { values: [] } })).toBe('[]');
});
