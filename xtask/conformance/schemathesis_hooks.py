"""What the generator of Schemathesis takes for valid and the service does not, put right before a call."""

import schemathesis

# Python knows no Unicode classes: the tool takes `\\p{Z}`, separators, for `\\s`, which has these control characters too.
CONTROLS = {ord(control): " " for control in "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85"}


def with_whole_integers(value):
    """Writes a whole number without a fraction: JSON Schema takes 1.0 for an integer."""
    if isinstance(value, dict):
        return {key: with_whole_integers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_whole_integers(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


# The dot of a pattern takes these in Python, and not in JSON Schema.
LINE_ENDS = {ord(line_end): "_" for line_end in "\r\u2028\u2029"}


def without_line_ends(value):
    """Takes the line ends out of every path of the object storage service and of every file name."""
    if isinstance(value, dict):
        return {key: without_line_ends(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_line_ends(item) for item in value]
    if isinstance(value, str) and (value.startswith("obs://") or value.endswith("py")):
        return value.translate(LINE_ENDS)
    return value


def without_controls(tag):
    if not isinstance(tag, dict):
        return tag
    texts = {key: tag[key].translate(CONTROLS) for key in ("key", "value") if isinstance(tag.get(key), str)}
    return {**tag, **texts}


@schemathesis.hook
def before_call(context, case, kwargs):
    if not isinstance(case.body, dict):
        return
    case.body = with_whole_integers(case.body)
    if case.meta is None or case.meta.generation.mode.is_positive:
        case.body = without_line_ends(case.body)
        for field in ("tags", "sys_tags"):
            if isinstance(case.body.get(field), list):
                case.body[field] = [without_controls(tag) for tag in case.body[field]]
