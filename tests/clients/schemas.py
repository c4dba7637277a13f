"""What Zipkin and Jaeger accept, as JSON Schema.

Zipkin: `ListOfSpans` of https://github.com/openzipkin/zipkin-api/blob/master/zipkin2-api.yaml, whose rules these are.
Jaeger publishes no schema of the JSON that its web app loads; these are the types of
https://github.com/jaegertracing/jaeger/blob/main/internal/uimodel/model.go.
"""

IPV4, PORT = {"type": "string", "format": "ipv4"}, {"type": "integer", "minimum": 0, "maximum": 65535}
ENDPOINT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"serviceName": {"type": "string"}, "ipv4": IPV4, "ipv6": {"type": "string", "format": "ipv6"}, "port": PORT},
}
ZIPKIN = {
    "type": "array",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["traceId", "id"],
        "properties": {
            "traceId": {"type": "string", "pattern": "^[a-f0-9]{16,32}$"},
            "name": {"type": "string"},
            "parentId": {"type": "string", "pattern": "^[a-f0-9]{16}$"},
            "id": {"type": "string", "pattern": "^[a-f0-9]{16}$"},
            "kind": {"enum": ["CLIENT", "SERVER", "PRODUCER", "CONSUMER"]},
            "timestamp": {"type": "integer", "minimum": 1},
            "duration": {"type": "integer", "minimum": 1},
            "debug": {"type": "boolean"},
            "shared": {"type": "boolean"},
            "localEndpoint": ENDPOINT,
            "remoteEndpoint": ENDPOINT,
            "annotations": {
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"timestamp": {"type": "integer"}, "value": {"type": "string"}},
                },
            },
            "tags": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    },
}

ID, MICROS = {"type": "string", "pattern": "^[a-f0-9]{1,32}$"}, {"type": "integer", "minimum": 0}
TAG = {
    "type": "object",
    "required": ["key", "type", "value"],
    "additionalProperties": False,
    "properties": {
        "key": {"type": "string"},
        "type": {"enum": ["string", "bool", "int64", "float64", "binary"]},
        "value": {},
    },
    "allOf": [
        {"if": {"properties": {"type": {"const": kind}}}, "then": {"properties": {"value": {"type": of}}}}
        for kind, of in [("string", "string"), ("bool", "boolean"), ("int64", "integer"), ("float64", "number"), ("binary", "string")]
    ],
}
TAGS = {"type": "array", "items": TAG}
WARNINGS = {"type": ["array", "null"], "items": {"type": "string"}}
JAEGER = {
    "type": "object",
    "required": ["data", "total", "limit", "offset", "errors"],
    "properties": {
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["traceID", "spans", "processes", "warnings"],
                "additionalProperties": False,
                "properties": {
                    "traceID": ID,
                    "warnings": WARNINGS,
                    "processes": {
                        "type": "object",
                        "additionalProperties": {
                            "type": "object",
                            "required": ["serviceName", "tags"],
                            "additionalProperties": False,
                            "properties": {"serviceName": {"type": "string"}, "tags": TAGS},
                        },
                    },
                    "spans": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["traceID", "spanID", "operationName", "references", "startTime", "duration", "tags", "logs", "processID", "warnings"],
                            "additionalProperties": False,
                            "properties": {
                                "traceID": ID,
                                "spanID": ID,
                                "flags": {"type": "integer", "minimum": 0},
                                "operationName": {"type": "string"},
                                "references": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "required": ["refType", "traceID", "spanID"],
                                        "additionalProperties": False,
                                        "properties": {"refType": {"enum": ["CHILD_OF", "FOLLOWS_FROM"]}, "traceID": ID, "spanID": ID},
                                    },
                                },
                                "startTime": MICROS,
                                "duration": MICROS,
                                "tags": TAGS,
                                "logs": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "required": ["timestamp", "fields"],
                                        "additionalProperties": False,
                                        "properties": {"timestamp": MICROS, "fields": TAGS},
                                    },
                                },
                                "processID": {"type": "string"},
                                "warnings": WARNINGS,
                            },
                        },
                    },
                },
            },
        },
    },
}
