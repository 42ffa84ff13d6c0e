"""Writes plugins/jinja/tests/snippets.json: what Jinja, as transformers sets it up, makes of small templates.

Each snippet is a template and its text, or null where it raises. What Python prints with an address in memory is left
out. Needs `pip install transformers jinja2`. Run from anywhere: `python tests/oracles/jinja_snippets.py`.
"""

import datetime
import itertools
import json
import pathlib
import re
import warnings
from unittest import mock

import transformers.utils.chat_template_utils as hf

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "plugins" / "jinja" / "tests" / "snippets.json"

VARIABLES = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Where is the ladder?\n"},
        {"role": "assistant", "content": " In the <shed>. ", "weight": 1.5, "tool_calls": [
            {"type": "function", "function": {"name": "weigh", "arguments": {"kg": 2, "exact": True, "note": None}}}]},
    ],
    "s": "Hello, Wörld! it's <b>7</b>\n", "e": "", "w": "  two  words\t\n", "n": None, "t": True, "i": 7, "neg": -7,
    "f": 2.5, "big": 1e16, "small": 0.00001, "z": 0, "l": [3, 1, 2], "ls": ["b", "A", "c", "a"], "m": [1, "a", None],
    "d": {"b": 1, "a": "x", "items": 3, "C": [1]}, "dd": [{"k": "y", "v": 2}, {"k": "X", "v": 1}, {"v": 3}],
    "nested": {"a": {"b": [{"c": 5}]}}, "el": [], "ed": {}, "uni": "ßÄé½²٣日", "q": "a\"b'c\\d",
}


class FixedDate(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 3, 5)


def render(template):
    variables = {key: value for key, value in VARIABLES.items() if key != "messages"}
    try:
        with mock.patch.object(hf, "datetime", FixedDate), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            text = hf.render_jinja_template([VARIABLES["messages"]], tools=None, chat_template=template, **variables)[0][0]
    except Exception:
        return None
    return False if re.search(r" at 0x[0-9a-f]+>", text) else text


TEXTS = ["s", "e", "w", "uni", "'ab cd-ef'", "'Title Case'", "'a,b,,c'", "'xxaxx'", "q", "'12'", "'ABC'", "'<x>'|safe"]
VALUES = ["s", "e", "w", "n", "t", "i", "neg", "f", "big", "small", "z", "l", "ls", "m", "d", "dd", "el", "ed", "undef",
          "(1, 2)", "(1,)", "()", "range(3)", "d.keys()", "d.items()", "'1'", "'1.5'", "' 42 '", "'x'", "'<&>'|safe",
          "1.0", "100", "-0.0", "1e-7", "123456789.125", "l|map('string')", "'a b'", "True", "namespace(a=1)", "cycler(1, 2)",
          "dict", "range"]

TEXT_METHODS = {
    "capitalize": [""], "casefold": [""], "lower": [""], "upper": [""], "swapcase": [""], "title": [""],
    "center": ["20", "21, '*'", "3", "'x'", "20, ''"], "ljust": ["20", "20, '.'"], "rjust": ["20", "20, '.'"],
    "zfill": ["8", "0"], "count": ["'l'", "''", "'l', 3", "'l', 1, 4", "1"],
    "find": ["'l'", "'zz'", "'l', 4", "'l', -5, -1", "''"], "rfind": ["'l'", "'zz'", "'l', 0, 4"],
    "index": ["'l'", "'zz'"], "rindex": ["'o'", "'zz'"],
    "startswith": ["'H'", "('x', 'H')", "''", "'e', 1", "['H']", "1", "prefix='H'"], "endswith": ["'\\n'", "('x', 'ef')", "'l', 0, 4"],
    "strip": ["", "'x'", "' \\nH'", "none", "chars='x'", "1"], "lstrip": ["", "'x'"], "rstrip": ["", "'x'", "'\\n'"],
    "split": ["", "','", "' '", "sep=','", "sep=',', maxsplit=1", "',', 1", "none, 1", "maxsplit=1", "''", "',', -1", "',', 0", "'l', 1", "1", "foo=1"],
    "rsplit": ["", "','", "',', 1", "none, 1", "sep=',', maxsplit=1"], "splitlines": ["", "true", "keepends=true"],
    "partition": ["','", "'zz'", "''"], "rpartition": ["','", "'zz'"],
    "replace": ["'l', 'L'", "'l', 'L', 1", "'', '-'", "'l', ''", "'l', 'L', -1", "'l', new='L'", "'l'", "1, 'x'", "'l', 1", "'', '-', 2"],
    "removeprefix": ["'Hello'", "'x'"], "removesuffix": ["'\\n'", "'ef'"],
    "join": ["ls", "m", "'abc'", "[]", "d", "ls|map('upper')", "1", "undef", "(s, e)"],
    "expandtabs": ["", "4", "tabsize=2", "0"],
    "encode": [], "isalnum": [""], "isalpha": [""], "isascii": [""], "isdecimal": [""], "isdigit": [""], "isidentifier": [""],
    "islower": [""], "isnumeric": [""], "isprintable": [""], "isspace": [""], "istitle": [""], "isupper": [""],
    "format": ["", "1", "'x', y=2"], "translate": ["{97: 'x', 98: none}", "{}", "1"], "foo": [""], "__class__": [""], "_x": [""],
}
LIST_METHODS = {"count": ["1", "'a'"], "index": ["1", "99", "1, 1", "1, 0, 1"], "copy": [""], "append": ["4"], "pop": [""],
                "sort": [""], "reverse": [""], "extend": ["[1]"], "insert": ["0, 1"], "remove": ["1"], "clear": [""], "foo": [""]}
DICT_METHODS = {"get": ["'a'", "'zz'", "'zz', 5", "'zz', default=5", "", "[1]"], "items": [""], "keys": [""], "values": [""],
                "copy": [""], "fromkeys": ["['x', 'y']", "['x'], 1"], "pop": ["'a'"], "update": ["{'q': 1}"], "setdefault": ["'a', 1"],
                "popitem": [""], "clear": [""], "foo": [""]}
OTHER_METHODS = ["i.bit_length()", "i.real", "i.imag", "i.numerator", "i.denominator", "f.is_integer()", "(2.0).is_integer()", "i.conjugate()",
                 "f.real", "t.real", "(5).bit_count()", "i.as_integer_ratio()", "range(1, 9, 3).start", "range(9).stop", "range(9).index(3)",
                 "range(9).count(3)", "(1, 2).index(2)", "(1, 2, 1).count(1)", "d.keys().isdisjoint(['q'])", "d.items().mapping", "n.foo", "n.foo.bar",
                 "undef.foo", "d.zz", "d.zz.y", "d['zz']", "d.items", "d.b", "d['items']", "d.C[0]", "s.title", "s[0]", "s[-1]", "s[99]", "l[5]", "l['a']",
                 "l.0", "m.1", "nested.a.b[0].c", "nested['a']['b'].0.c", "dd[0].k", "dd[-1].v", "t.x", "i.x", "l.x", "(1,2).x", "s.x", "d.__class__",
                 "d._x", "d['__class__']", "''.__class__.__mro__", "dict.fromkeys([1])", "dict(a=1)", "dict([('a', 1)])", "dict(d, z=1)", "dict({})",
                 "dict([1])", "dict([(1, 2, 3)])", "dict(['ab'])", "dict(none)", "dict(**d)", "dict(d.items()|list, name='Jo')|tojson", "d.copy()|length"]

FILTERS = {
    "abs": [""], "attr": ["('k')", "('items')", "(1)", "()"], "batch": ["(2)|list", "(2, 'x')|list", "()", "(linecount=2, fill_with=0)|list"], "capitalize": [""],
    "center": ["", "(9)", "(width=9)"], "count": [""], "d": ["('D')"], "default": ["", "('D')", "('D', true)", "(default_value='D', boolean=true)", "(boolean=true)"],
    "dictsort": ["", "(true)", "(false, 'value')", "(reverse=true)", "(by='x')"], "e": [""], "escape": [""], "filesizeformat": ["", "(true)", "(binary=true)"],
    "first": [""], "float": ["", "(1)", "(default='D')"], "forceescape": [""], "format": ["(1)", "()", "(a=1)"], "groupby": ["('k')", "('v')", "(0)", "('k', default='q')"],
    "indent": ["", "(2)", "(2, true)", "(2, true, true)", "(width='> ')", "(first=true)", "(blank=true)"],
    "int": ["", "(5)", "(default='D')", "(0, 16)", "(base=2)"], "items": ["|list"], "join": ["", "(', ')", "(d='-')", "(attribute='k')", "(1)", "('|', 'v')"],
    "last": [""], "length": [""], "list": [""], "lower": [""], "map": ["('upper')|list", "(attribute='k')|list", "(attribute='k', default='D')|list", "()|list",
    "('nope')|list", "('default', 'D')|list", "(attribute='a.b')|list", "('int')|list", "('replace', 'a', 'b')|list", "|list"],
    "max": ["", "(attribute='v')", "(true)"], "min": ["", "(attribute='v')"], "pprint": [""], "reject": ["('odd')|list", "|list", "('eq', 1)|list", "('none')|list"],
    "rejectattr": ["('k')|list", "('k', 'defined')|list", "('v', 'gt', 1)|list"], "replace": ["('l', 'L')", "('l', 'L', 1)", "(old='l', new='L')", "(1, 2)", "('l', 'L', count=2)", "('l')"],
    "reverse": ["", "|list"], "round": ["", "(1)", "(2, 'floor')", "(0, 'ceil')", "(method='floor')", "(-1)", "(1, 'x')"], "safe": [""],
    "select": ["|list", "('odd')|list", "('string')|list", "('in', [1, 'a'])|list", "('nope')|list"], "selectattr": ["('k')|list", "('v', '>', 1)|list", "('k', 'equalto', 'X')|list", "()|list", "('k', 'undefined')|list", "('k')|first"],
    "slice": ["(2)|list", "(2, 'x')|list", "(slices=3)|list", "(0)|list"], "sort": ["", "(true)", "(reverse=true)", "(case_sensitive=true)", "(attribute='v')", "(attribute='k')", "(false, true)"],
    "string": [""], "striptags": [""], "sum": ["", "(attribute='v')", "(start=10)", "('v', 1)"], "title": [""],
    "tojson": ["", "(indent=2)", "(true)", "(false, 1)", "(indent='--')", "(separators=(',', ':'))", "(sort_keys=true)", "(ensure_ascii=true)", "(indent=0)", "(indent=none)", "(separators=[','])", "(foo=1)", "(indent=2, separators=(', ', ' = '))"],
    "trim": ["", "('x')", "(chars=' H')", "(none)"], "truncate": ["", "(9)", "(9, true)", "(9, false, '…', 0)", "(length=9, end='')", "(2)"], "unique": ["|list", "(true)|list", "(attribute='k')|list"],
    "upper": [""], "urlencode": [""], "wordcount": [""], "wordwrap": ["(5, break_on_hyphens=false)", "(6, false, break_on_hyphens=false)", "(9, wrapstring='|', break_on_hyphens=false)"], "xmlattr": ["", "(false)"], "nope": [""], "random": [],
}
TESTS = {"odd": [""], "even": [""], "divisibleby": [" 3", "(3)", "(0)", "(num=7)"], "defined": [""], "undefined": [""], "filter": [""], "test": [""], "none": [""],
         "boolean": [""], "false": [""], "true": [""], "integer": [""], "float": [""], "lower": [""], "upper": [""], "string": [""], "mapping": [""], "number": [""],
         "sequence": [""], "iterable": [""], "callable": [""], "sameas": [" none", " true", "(s)"], "escaped": [""], "in": [" [1, 7, 'x']", "('xyz')", " d"],
         "eq": [" 7", "(1)"], "equalto": [" 'x'"], "ne": [" 7"], "gt": [" 1", " 'a'"], "ge": [" 7"], "lt": [" 3"], "le": [" 7"], "greaterthan": [" 2"], "lessthan": [" 2"], "nope": [""]}

NUMBERS = ["i", "neg", "f", "t", "z", "1e16", "1e-05", "123456789012345680.0", "0.1 + 0.2", "1.0", "-0.0", "1e22", "1e15", "2 ** 10", "2 ** -1", "2 ** 0.5", "10 / 4", "10 / 5",
           "7 // 2", "-7 // 2", "7 // -2", "-7 % 3", "7 % -3", "7.5 // 2", "-7.5 % 2", "7.5 % -2", "1 / 3", "1_000", "0x1F", "0b101", "0o17", "1e3", "1.5e-7", "1 + 1.0", "+i", "-i", "+f", "-f",
           "- -i", "not i", "+t", "-t", "+s", "-s", "+undef", "-n", "1 // 0", "1 / 0", "1 % 0", "1.0 // 0", "0 ** 0", "3 * 'ab'", "'ab' * 3", "'ab' * -1", "[1] * 2", "(1, 2) * 2", "2 ** 3 ** 2", "-2 ** 2",
           "100000000000000000000", "12345678901234567890 + 1", "3.0", "3.14159", "1e100", "1.7976931348623157e308", "5e-324", "0.0001", "0.00012345", "123456.789e3", "1e1", "9007199254740993", "i / 2", "True + True", "1 == 1.0", "1 == True", "0 == False", "'1' == 1", "1 < 2 < 3", "1 < 2 > 5", "3 > 2 == 2"]
PAIRS = ["s", "e", "n", "i", "f", "l", "d", "undef", "(1, 2)", "t", "'x'|safe", "'<'", "range(2)"]
OPERATORS = ["+", "-", "*", "~", "==", "!=", "<", ">=", "in", "not in", "and", "or", "%", "//"]

FORMATS = [("'%s and %s' % ('a', 1)"), "'%d%%' % 50", "'%5d|%-5d|%05d' % (42, 42, 42)", "'%+d % d' % (5, 5)", "'%x %X %o %#x' % (255, 255, 8, 255)", "'%f %.2f %8.3f' % (1.5, 2.345, 3.14159)",
           "'%e %.3E' % (12345.678, 0.00012)", "'%g %g %g %G' % (1e10, 0.0001, 123456789, 1e-10)", "'%r %s' % ('a', 'a')", "'%c%c' % (65, 'b')", "'%(a)s-%(b)03d' % {'a': 'x', 'b': 7}", "'%s' % l", "'%s' % (l,)",
           "'%s %s' % 'a'", "'%s' % ('a', 'b')", "'%d' % 'x'", "'%d' % 3.9", "'%s' % none", "'%s' % undef", "'%q' % 1", "'100%' % ()", "'%.3s|%5s|%-5s|' % ('abcdef', 'ab', 'ab')", "'%*d' % (5, 42)", "'%.*f' % (2, 3.14159)",
           "'%i %u' % (3, 4)", "'%5.1f|%-8.2e|%+.1f' % (2.25, 1234.5, 0.05)", "'%s' % d", "'%s' % true", "'%d' % true", "'%05.1f' % -2.5", "'%#o' % 8", "'%s'|format('x')", "'%s-%s'|format('x', 1)", "'%(a)s'|format(a=1)", "'%s' % ('<'|safe)",
           "('<b>%s</b>'|safe) % '<x>'", "'%%'", "'%%' % ()", "'x' % {}", "'x' % 1", "'%(a)s' % 1", "'%.0f %.0f %.0f' % (0.5, 1.5, 2.5)", "'%x' % 2.0", "'%g' % 100000.0", "'%g' % 1000000.0", "'%#g' % 1.0", "'%a' % 'x'", "'%5%' % ()", "'%ld' % 3", "'%-+6d|' % 4",
           "'{} {}'.format('a', 1)", "'{0}{1}{0}'.format('a', 'b')", "'{a} {b}'.format(a=1, b=2)", "'{:>5}|{:<5}|{:^5}'.format('a', 'b', 'c')", "'{:05d} {:+d} {:,}'.format(42, 5, 1234567)", "'{:.2f} {:8.3f} {:e}'.format(1.005, 2.5, 12345.678)", "'{:x} {:#x} {:b} {:o}'.format(255, 255, 5, 8)",
           "'{!r} {!s}'.format('a', 'a')", "'{{}} {}'.format(1)", "'{0[0]} {0[1]}'.format(l)", "'{d[a]}'.format(d=d)", "'{:{}}|'.format('a', 5)", "'{:.3}'.format('abcdef')", "'{:.3}'.format(3.14159)", "'{}'.format(none)", "'{}'.format(l)", "'{:>4}'.format(none)", "'{:%}'.format(0.25)", "'{:.1%}'.format(0.256)",
           "'{} {}'.format(1)", "'{x}'.format(1)", "'{'.format(1)", "'}'.format(1)", "'{:*^9}'.format('mid')", "'{:_}'.format(1234567)", "'{:010.2f}'.format(-3.14159)", "'{:g} {:g}'.format(1e10, 0.5)", "'{:s}'.format(1)", "'{:d}'.format('x')", "'{:d}'.format(1.5)", "'{}'.format(1.0)", "'{:.3}'.format(120.0)", "'{:.0f}'.format(2.5)", "'{}'.format(true)", "'{:d}'.format(true)",
           "'{a}'.format_map({'a': 1})", "'{a}'.format_map(1)", "('<b>{}</b>'|safe).format('<x>')", "'{0.real}'.format(5)", "'{:,.2f}'.format(1234567.891)", "'{:<8,}|'.format(1234)", "'{:=+8d}'.format(42)", "'{:08,}'.format(1234)", "'{:c}'.format(65)", "'{:n}'.format(1234)", "'{:5}|'.format(3)", "'{:5}|'.format('3')", "'{:05}'.format('3')", "'{:G}'.format(1e-10)"]

SLICES = [f"{value}[{bounds}]" for value in ["l", "s", "(1, 2, 3, 4)", "messages|map(attribute='role')|list", "e"]
          for bounds in [":", "1:", ":1", "-1:", ":-1", "::-1", "::2", "1::2", "5:", ":99", "-99:2", "2:1", "2:0:-1", "-1:-99:-1", "1:none", "none:2", "'a':", "::0", "1.5:"]] + ["d[1:]", "n[1:]", "i[1:]", "undef[1:]", "l[t:]", "range(5)[1]", "s[1.0]", "l[True]", "d[1:2]", "(l, l)[0][1]"]

STATEMENTS = [
    "{% for x in l %}{{ x }}{% endfor %}", "{% for x in s %}{{ x }}{{ '-' if not loop.last }}{% endfor %}", "{% for x in d %}{{ x }},{% endfor %}", "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in d|dictsort %}{{ k }}={{ v }};{% endfor %}", "{% for x in undef %}{{ x }}{% else %}none{% endfor %}", "{% for x in n %}{{ x }}{% endfor %}", "{% for x in i %}{{ x }}{% endfor %}", "{% for x in el %}a{% else %}b{% endfor %}",
    "{% for x in l if x > 1 %}{{ loop.index }}/{{ loop.length }}:{{ x }} {% endfor %}", "{% for x in l if x > 9 %}a{% else %}b{% endfor %}", "{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% if x == 2 %}{% break %}{% endif %}{% endfor %}",
    "{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }}{{ loop.previtem }}{{ loop.nextitem }}|{% endfor %}",
    "{% for x in l %}{{ loop.cycle('a', 'b') }}{% endfor %}", "{% for x in [1, 1, 2] %}{{ loop.changed(x) }}{% endfor %}", "{% for x in l %}{{ loop }}{% endfor %}", "{% for x in l %}{{ loop|length }}{% endfor %}",
    "{% for x in nested.values() recursive %}{{ x }}{{ loop(x.values()) if x is mapping }}{% endfor %}", "{% for x in [[1, [2]], 3] recursive %}{% if x is number %}{{ x }}@{{ loop.depth }}{% else %}({{ loop(x) }}){% endif %}{% endfor %}", "{% for x in l %}{{ loop(l) }}{% endfor %}",
    "{% for a, b in [(1, 2), (3, 4)] %}{{ a + b }},{% endfor %}", "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "{% for a, b in [(1, 2, 3)] %}{% endfor %}", "{% for a, b in ['xy'] %}{{ a }}{{ b }}{% endfor %}", "{% for x in l %}{% for y in l %}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}",
    "{% for x in l %}{% set y = x %}{% endfor %}{{ y }}", "{% set y = 0 %}{% for x in l %}{% set y = y + x %}{{ y }},{% endfor %}{{ y }}", "{% set ns = namespace(y=0) %}{% for x in l %}{% set ns.y = ns.y + x %}{% endfor %}{{ ns.y }}", "{% if true %}{% set y = 1 %}{% endif %}{{ y }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set a = b = 1 %}", "{% set (a, b) = (1, 2) %}{{ a + b }}", "{% set x = 1, %}{{ x }}", "{% set x %}a{{ i }}b{% endset %}{{ x }}{{ x|length }}", "{% set x | upper %}abc{% endset %}{{ x }}", "{% set x | replace('a', 'b') | upper %}abc{% endset %}{{ x }}", "{% set d.x = 1 %}", "{% set ns = namespace() %}{% set ns.a %}block{% endset %}{{ ns.a }}",
    "{% set ns = namespace(a=1, b=[]) %}{{ ns.a }}{{ ns.b }}{{ ns.c }}{{ ns }}", "{% set ns = namespace(d, z=1) %}{{ ns.z }}{{ ns.b }}", "{% set ns = namespace(_a=1) %}", "{% set ns = namespace() %}{% set ns._a = 1 %}", "{% set ns = namespace(x=none) %}{{ ns['x'] }}{{ ns.x is none }}{{ ns.y is defined }}",
    "{% macro f(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ f(1) }}{{ f(1, 3) }}{{ f(b=5, a=4) }}{{ f() }}", "{% macro f() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1, 2, x=3) }}", "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, 2) }}", "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(b=2) }}", "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, a=2) }}",
    "{% macro f(a, b=a) %}{{ b }}{% endmacro %}{{ f(1) }}", "{% macro f(x=y) %}{{ x }}{% endmacro %}{% set y = 3 %}{{ f() }}", "{% macro f() %}{{ y }}{% endmacro %}{% set y = 3 %}{{ f() }}", "{% macro f() %}x{% endmacro %}{{ f }}{{ f.name }}{{ f.arguments }}", "{% macro f() %}x{% endmacro %}{{ f()|upper }}{{ f() ~ 'y' }}{{ f() + 'z' }}",
    "{% macro f() %}[{{ caller() }}]{% endmacro %}{% call f() %}in{% endcall %}", "{% macro f() %}[{{ caller(1, 2) }}]{% endmacro %}{% call(a, b) f() %}{{ a }}{{ b }}{% endcall %}", "{% macro f() %}[{{ caller is defined }}]{% endmacro %}{{ f() }}", "{% macro f() %}x{% endmacro %}{% call f() %}in{% endcall %}", "{% macro f(x) %}{% if x > 0 %}{{ x }}{{ f(x - 1) }}{% endif %}{% endmacro %}{{ f(3) }}", "{% for x in l %}{% macro g() %}{{ x }}{% endmacro %}{{ g() }}{% endfor %}",
    "{% macro f(caller=none) %}{{ caller }}{% endmacro %}{{ f() }}", "{% macro outer() %}{% macro inner() %}i{% endmacro %}{{ inner() }}{% endmacro %}{{ outer() }}",
    "{% filter upper %}abc{{ i }}{% endfilter %}", "{% filter replace('a', 'b') | upper %}abc{% endfilter %}", "{% filter indent(2) %}a\nb{% endfilter %}", "{% filter trim %}\n x \n{% endfilter %}|", "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a }}", "{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q }}", "{% with a = 1, b = a %}{{ b }}{% endwith %}", "{% set a = 5 %}{% with a = 1, b = a %}{{ b }}{% endwith %}",
    "{% block x %}in{{ i }}{% endblock %}", "{% block x %}a{% endblock x %}{{ self.x() }}", "{% for x in l %}{% block b scoped %}{{ x }}{% endblock %}{% endfor %}", "{% for x in l %}{% block b %}{{ x }}{% endblock %}{% endfor %}", "{% set q = 1 %}{% block b %}{{ q }}{% set q = 2 %}{% endblock %}{{ q }}", "{% block a %}{% endblock %}{% block a %}{% endblock %}", "{% block x required %}{% endblock %}", "{{ self.nope() }}",
    "{% autoescape true %}{{ '<' }}{{ '<'|safe }}{% endautoescape %}{{ '<' }}", "{% autoescape false %}{{ '<' }}{% endautoescape %}", "{% raw %}{{ x }}{% endraw %}", "{% raw %}\n{{ x }}\n{% endraw %}\ny", "{%- raw -%} \n x {%- endraw -%} \n y", "a {% raw %} b {% endraw %} c", "  {% raw %}x{% endraw %}  \n", "{% raw -%}\n x\n{%+ endraw %}",
    "{# c #}a", "a {#- c -#} b", "a\n  {# c #}\nb", "a {# c\nd #}\n b", "{#+ c +#}\nx", "  {%+ if true %}x{% endif %}", "a\n  {% if true %}\n  x\n  {% endif %}\n  b\n", "a\n  {%- if true -%}\n  x\n  {%- endif -%}\n  b\n", "a\n\t{% if true +%}\nx{% endif %}", "{{ 'a' }}\n{{ 'b' }}\n", "{{- 'a' -}}  \n {{- 'b' }}", " {{+ 'a' }}", "a\n\n", "a\n", "\n", "", "\r\nx\r\n", "a\r\nb", "{{ 'a\r\nb' }}", "  {{ 'x' }}  ", "  {% set x = 1 %}  \n  {{ x }}", "x  {% set x = 1 %}  y", "{% if true %}\n\n{% endif %}", "{%if true%}x{%endif%}", "{%\nif true\n%}x{%endif%}",
    "{% if n %}a{% elif i %}b{% else %}c{% endif %}", "{% if not n and (i or x.y.z) %}a{% endif %}", "{{ 'a' if n }}", "{{ ('a' if n) is defined }}", "{{ 1 if n else 2 if z else 3 }}", "{% if undef %}a{% else %}b{% endif %}", "{% if undef.x %}a{% endif %}", "{% if undef is defined and undef.x %}a{% else %}b{% endif %}",
    "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.reset() }}{{ c.current }}{{ c.pos }}{{ c.items }}", "{{ cycler() }}", "{% set j = joiner(' | ') %}{% for x in l %}{{ j() }}{{ x }}{% endfor %}", "{% set j = joiner() %}{{ j() }}{{ j() }}{{ j.used }}", "{% set j = joiner(sep=';') %}{{ j() }}{{ j() }}",
    "{{ range(5)|list }}{{ range(1, 9, 3)|list }}{{ range(5, 0, -2)|list }}{{ range(0) }}{{ range(3) }}{{ range(1, 5, 2) }}", "{{ range(100001) }}", "{{ range('a') }}", "{{ range() }}", "{{ raise_exception('x') }}", "{{ undef() }}", "{{ s() }}", "{{ i() }}", "{{ n() }}", "{{ lipsum }}" * 0 + "{{ dict }}" * 0,
    "{% do l.append(1) %}", "{% trans %}x{% endtrans %}", "{% include 'x' %}", "{% if false %}{% include 'x' %}{% endif %}ok", "{% import 'x' as y %}", "{% extends 'x' %}", "{% from 'x' import y %}", "{% foo %}", "{% endif %}", "{% for x in l %}", "{% if true %}", "{{ x", "{{ }}", "{{ 1 2 }}", "{% if %}a{% endif %}", "{% set 1 = 2 %}", "{% set true = 2 %}", "{% break %}", "{% macro f(a=1, b) %}{% endmacro %}", "{{ 'abc }}", "{{ (1, 2 }}", "{{ [1, 2) }}", "{{ a ! b }}", "{{ $ }}", "{# x", "{% raw %}x", "{{ f(a=1, 2) }}", "{{ f(a=1, a=2) }}", "{% if x %}{{ y|nope }}{% endif %}ok", "{{ y|nope if x else 'ok' }}", "{% for q in [] %}{{ q|nope }}{% endfor %}", "{% if false %}{{ 1 is nope }}{% endif %}ok", "{% if x %}{% for q in [] %}{{ q|nope }}{% endfor %}{% endif %}", "{{ 1 is nope }}",
    "{{ [1, 'a', none, true, 1.0, {'k': 'v'}, (1,), (), []] }}", "{{ {'a': 1, 2: 'b', none: true, 1.5: []} }}", "{{ 'it\\'s' }}{{ ['it\\'s', \"q\\\"\", 'both\\'\"', 'n\\n\\t\\\\'] }}", "{{ ['\\x00\\x7f\\xa0é\\u200b\\U0001F600\\ud7ff'] }}", "{{ [q, uni, s] }}", "{{ '\\u00e4\\x41\\101\\0|\\d\\q\\\\' }}", "{{ 'a' 'b' \"c\" }}", "{{ 'a\\\nb' }}", "{{ 1.0 }}{{ 1e5 }}{{ 1E5 }}{{ 1.5e+3 }}", "{{ true }}{{ True }}{{ none }}{{ None }}{{ false }}", "{{ (1) }}{{ (1,) }}{{ 1, 2 }}{{ () }}", "{{ [1, 2,] }}{{ {'a': 1,} }}", "{{ {'a': 1, 'a': 2} }}", "{{ {[1]: 2} }}", "{{ d.keys() }}{{ d.values() }}{{ d.items() }}",
    "{{ 'Use '|safe + '<x>' }}{{ '<x>' + 'a'|safe }}{{ 'a'|safe ~ '<' }}{{ '<' ~ 'a' }}", "{{ ('<a>'|safe).upper() }}{{ ('<a>'|safe).replace('a', '<') }}{{ '-'|safe ~ 1 }}{{ ('x'|safe).join(['<', '>'|safe]) }}", "{{ ['<'|safe] }}", "{{ ('a'|safe) * 2 + '<' }}{{ ('a<'|safe)[0] + '<' }}", "{{ ('%s'|safe) % '<' }}{{ ('{}'|safe).format('<') }}", "{{ ('a b'|safe).split() }}", "{{ '<'|e|e }}{{ '<'|safe|e }}{{ '<'|e|forceescape }}", "{{ ('<p>a</p>'|safe).striptags() }}{{ ('&lt;'|safe).unescape() }}", "{{ '<'|safe|string + '>' }}{{ '<'|safe|trim + '>' }}{{ '<'|safe|lower + '>' }}{{ '<'|safe|replace('a', 'b') + '>' }}{{ '<'|safe|join + '>' }}{{ ['<'|safe]|join ~ '>' }}{{ ['<'|safe]|first ~ '>' }}", "{{ '<'|safe|title + '>' }}{{ '<'|safe|capitalize + '>' }}{{ '<'|safe|indent + '>' }}{{ '<'|safe|center(5) + '>' }}{{ '<'|safe|format + '>' }}{{ '<'|safe|reverse + '>' }}{{ '<ab cd ef'|safe|truncate(7, leeway=0) + '>' }}{{ '<'|safe|default('') + '>' }}",
    "{{ strftime_now('%d %b %Y') }}", "{{ strftime_now('%Y-%m-%d %H:%M:%S %A %a %B %b %j %U %W %w %y %p %I %f %z|%Z|%% %c|%x|%X') }}", "{{ strftime_now('%-d %-m %e %D %F %T %R %h %n%t %C %G %g %V %u %k %l %P %r') }}", "{{ strftime_now('%^a %^b %#Z %_d %05d %3Y') }}", "{{ strftime_now() }}", "{{ strftime_now(1) }}", "{{ strftime_now('plain') }}", "{{ strftime_now('%-I:%M') }}", "{{ strftime_now(format='%Y') }}",
    "{{ messages[0].role }}{{ messages[-1]['content'] }}{{ messages|length }}{{ messages|map(attribute='role')|join(',') }}", "{{ messages[2].tool_calls[0].function.arguments|tojson }}", "{{ messages|selectattr('role', 'equalto', 'user')|list|length }}", "{{ messages|selectattr('tool_calls')|map(attribute='role')|first }}", "{{ (messages|selectattr('role', '==', 'user')|first).content|trim }}", "{{ messages[1:]|map(attribute='role')|list }}", "{{ messages|map('length')|sum }}", "{{ messages|map(attribute='content')|map('trim')|join('|') }}", "{{ messages[::-1]|map(attribute='role')|join }}", "{{ messages|last|tojson(indent=1) }}", "{% for m in messages|reverse %}{{ m.role }}{% endfor %}", "{% set g = l|map('string') %}{{ g|join }}{{ g|join }}", "{% set g = l|select('odd') %}{{ g|first }}{{ g|list }}", "{{ (l|map('string'))|length }}", "{{ l|map('string') is iterable }}{{ l|map('string') is sequence }}{{ (l|map('string')) and 1 }}", "{{ 3 in l|map('int') }}", "{{ l|map('nope') }}" * 0, "{% set x = l|map('nope') %}ok", "{{ dd|groupby('k', default='')|map('first')|list }}", "{% for g in dd|groupby('v') %}{{ g.grouper }}{{ g.list|length }}{% endfor %}", "{% for k, g in dd|groupby('v') %}{{ k }}{{ g }}{% endfor %}", "{{ tools is iterable }}{{ tools }}{{ tools is none }}{{ documents }}{{ add_generation_prompt }}", "{% if tools is iterable and tools|length > 0 %}a{% else %}b{% endif %}", "{{ 'x' is string }}{{ x is string is string }}", "{{ 3 is divisibleby 3 and true }}{{ 4 is not odd }}{{ not 4 is odd }}", "{{ i is number and not i is boolean }}", "{{ -1|abs }}{{ (-1)|abs }}{{ 1.5|int|string + 'a' }}{{ 'a' if true else 'b'|upper }}", "{{ i.__class__ }}{{ ''.__class__ is defined }}{{ d.update }}{{ l.append is defined }}", "{{ l.append(1) }}", "{{ 'a'.join }}" * 0, "{{ 'ab'|list }}{{ d|list }}{{ 'ab'|first }}{{ d|first }}{{ d|last }}{{ 'ab'|last }}{{ 'ab'|reverse }}{{ d|reverse|list }}", "{{ el|first is defined }}{{ el|first }}{{ undef|last is defined }}{{ undef|first }}{{ undef|list }}{{ undef|length }}{{ undef|join }}{{ undef|trim }}|{{ undef|upper }}", "{{ undef|int }}", "{{ undef|tojson }}", "{{ undef ~ 'a' }}{{ undef == undef }}{{ undef == none }}{{ undef in [1] }}{{ 1 in undef }}{{ undef is sequence }}{{ undef is iterable }}", "{{ undef + 'a' }}", "{{ undef < 1 }}", "{{ undef|default('a') }}{{ n|default('a') }}{{ n|default('a', true) }}{{ e|d('b', true) }}{{ d.x|d('c') }}{{ d.x.y|d('c') }}", "{{ [undef] }}", "{{ '%s' % undef }}|", "{{ undef is defined }}{{ d.x is defined }}{{ d.a is defined }}{{ l[9] is defined }}{{ n.x is defined }}", "{{ '' is defined }}{{ none is defined }}",
    "{% generation %}x{% endgeneration %}", "{%- generation -%} x {%- endgeneration +%}\ny", "{% for m in messages %}{% generation %}{% set q = m.role %}{{ q }}{% endgeneration %}{{ q }}{% endfor %}", "{% filter trim %} {% generation %} x {% endgeneration %} {% endfilter %}|", "{% set v %}{% generation %} x {% endgeneration %}{% endset %}{{ v|trim }}{{ v|length }}", "{% generation %}{% generation %}x{% endgeneration %}{% endgeneration %}", "{% endgeneration %}", "{% generation %}",
    "{{ 'é'|length }}{{ '😀ab'[1] }}{{ '😀ab'[:1] }}{{ '日本'|list }}", "{{ 'ǆ'|title }}{{ 'ŉ'|upper }}{{ 'ﬁ'|capitalize }}", "{{ 'ΑΣ'|lower }}{{ 'İ'|lower|length }}", "{{ uni|upper }}{{ uni|lower }}{{ uni|title }}{{ uni|capitalize }}{{ uni.casefold() }}{{ uni.swapcase() }}", "{{ '½'.isnumeric() }}{{ '½'.isdigit() }}{{ '²'.isdigit() }}{{ '²'.isdecimal() }}{{ '٣'.isdecimal() }}{{ '一'.isnumeric() }}{{ 'ª'.isalpha() }}{{ '́'.isalpha() }}", "{{ '\\u2028a\\x0bb\\x1cc\\x85d'.splitlines() }}", "{{ '\\x1f a \\u3000'.strip()|length }}{{ '\\u200b'.strip()|length }}", "{{ '_x1'.isidentifier() }}{{ '1x'.isidentifier() }}",
    "{{ 'mañana' | title }}{{ \"they're bill's\"|title }}{{ \"they're bill's\".title() }}", "{{ 'a-b c(d)[e]'|title }}", "{{ '' | capitalize }}|{{ 'ABC dEF'|capitalize }}", "{{ 1|string + '2' }}{{ n|string }}{{ l|string }}", "{{ 'abc'|wordcount }}{{ 'a, b c_d 1-2'|wordcount }}", "{{ {'class': 'a', 'x': n, 'y': 1, 'z': '<'}|xmlattr }}|", "{{ {'a b': 1}|xmlattr }}", "{{ 'a b/c?d=é&'|urlencode }}{{ {'a b': 'c&d', 'e': 1}|urlencode }}{{ [('a', 1), ('b', '/')]|urlencode }}{{ 5|urlencode }}", "{{ 1000|filesizeformat }}{{ 1|filesizeformat }}{{ 1234567|filesizeformat }}{{ 1024|filesizeformat(true) }}{{ '5000'|filesizeformat }}",
    "{{ 2.5|round }}{{ 3.5|round }}{{ 2.675|round(2) }}{{ 42|round }}{{ 42.55|round(1, 'floor') }}{{ 42.55|round(1) }}{{ 1234.5|round(-2) }}{{ 1250|round(-2) }}{{ 42|round(1, 'ceil') }}{{ -2.5|round }}{{ 1e300|round(2) }}{{ 0.5|round }}{{ 1.5|round|int }}", "{{ '0x1f'|int(0, 16) }}{{ '1f'|int(base=16) }}{{ '0b11'|int(base=2) }}{{ '0b11'|int(base=0) }}{{ '12'|int(base=0) }}{{ '012'|int(base=0) }}{{ '1_000'|int }}{{ '1__0'|int }}{{ ' -5 '|int }}{{ '+5'|int }}{{ '5.9'|int }}{{ '1e3'|int }}{{ 'inf'|int }}{{ 'nan'|int }}{{ -5.9|int }}{{ '٣'|int }}", "{{ 'inf'|float }}{{ 'nan'|float }}{{ '-Infinity'|float }}{{ '1_0.5'|float }}{{ ' 1.5 '|float }}{{ '1e5'|float }}{{ '.5'|float }}{{ '5.'|float }}{{ 'x'|float }}{{ n|float }}{{ t|float }}{{ ''|float }}{{ '0x1'|float }}", "{{ ('inf'|float)|int }}", "{{ ('nan'|float)|tojson }}{{ ('inf'|float)|tojson }}{{ ('inf'|float) }}",
    "{{ 'abcdef'|truncate(3) }}{{ 'abcdef ghi'|truncate(5, leeway=0) }}{{ 'abcdef ghijk lmnop'|truncate(10) }}{{ 'abcdef ghijk lmnop'|truncate(10, true, '') }}", "{{ ['a', 'b']|join(', ') }}{{ [1, none, true]|join('-') }}{{ 'abc'|join('.') }}{{ d|join(',') }}", "{{ l|sum }}{{ [0.1, 0.2]|sum }}{{ [[1], [2]]|sum(start=[]) }}{{ ['a']|sum }}", "{{ l|max }}{{ ls|min }}{{ el|max }}{{ dd|max(attribute='v') }}{{ ls|max(case_sensitive=true) }}", "{{ m|sort }}", "{{ [1, 1.0, true, 'a', 'A']|unique|list }}", "{{ [[1], [1]]|unique|list }}", "{{ [3, 1, 2]|sort|first }}{{ ls|sort }}{{ ls|sort(case_sensitive=true) }}{{ ls|sort(reverse=true) }}{{ dd|sort(attribute='v,k')|map(attribute='v')|list }}{{ [(2, 'a'), (1, 'b')]|sort }}{{ 'cab'|sort }}{{ [true, false]|sort }}",
    "{% set x = {'a': {'b': 1}} %}{{ x.a.b }}{{ x['a']['b'] }}{{ x.get('a').get('b') }}{{ x.a.c is defined }}", "{% set x = [] %}{% for i in range(3) %}{% set x = x + [i] %}{% endfor %}{{ x }}", "{% set ns = namespace(x=[]) %}{% for i in range(3) %}{% set ns.x = ns.x + [i] %}{% endfor %}{{ ns.x }}", "{% set x = 1 %}{% macro f() %}{% set x = 2 %}{{ x }}{% endmacro %}{{ f() }}{{ x }}", "{% set x = 1 %}{% if true %}{% set x = 2 %}{% endif %}{{ x }}", "{% set i = i + 1 %}{{ i }}", "{% for i in range(2) %}{{ i }}{% endfor %}{{ i }}", "{% for x in l %}{% if loop.first %}{% set i = 'q' %}{% endif %}{{ i }}{% endfor %}", "{{ f(1) if f is callable else 'no' }}", "{% print i %}", "{% print i, f %}", "{% for x in l -%}\n  {{ x }}\n{%- endfor %}", "{{ [1,2,3][1] }}{{ 'abc'[1] }}{{ {'a': 1}['a'] }}{{ (1,2)[0] }}{{ [1,2,3][-1:] }}", "{{ 1 if true }}{{ 'x' * 3 if i > 5 else '' }}", "{{ l[0], l[1] }}", "{{ (l)[0] }}{{ l .0 }}{{ d . a }}", "{{ d['a' ~ ''] }}{{ d[undef] }}{{ d[none] }}|", "{{ 'a' in 'abc' }}{{ 1 in 'abc' }}", "{{ none in l }}{{ 'a' in d }}{{ 1 in d.values() }}{{ ('a', 'x') in d.items() }}{{ 2 in range(3) }}{{ l in [l] }}", "{{ 'a' in n }}", "{{ 'a' not in d }}{{ not 'a' in d }}", "{{ d == {'a': 'x', 'b': 1, 'items': 3, 'C': [1]} }}{{ [1, 2] == (1, 2) }}{{ [1] < [1, 2] }}{{ (1, 2) < (1, 3) }}{{ 'a' < 'b' }}{{ 'a' < 1 }}", "{{ [1] < [1, 'a'] }}{{ [1, 'a'] < [1, 2] }}", "{{ none < 1 }}", "{{ d < d }}", "{{ {} is mapping }}{{ [] is mapping }}{{ d.keys() is sequence }}{{ d.keys() is iterable }}{{ range(2) is sequence }}{{ '' is sequence }}{{ d is sequence }}", "{{ x is defined and x or 'default' }}", "{{ l|length == 3 and 'three' or 'other' }}", "{{ l is sequence and l is not string and l is not mapping }}", "{{ 'x' ~ 1 ~ none ~ 1.0 ~ true ~ [1] }}", "{{ '\\n'.join(['a', 'b']) }}", "{{ ('a', 'b')|join }}", "{{ [1, [2, [3]]]|tojson }}{{ (1, 2)|tojson }}{{ d|tojson }}{{ {1: 2, none: 3, true: 4, 1.5: 5}|tojson }}{{ {(1, 2): 3}|tojson }}", "{{ '</script>\"\\\\\\n\\u2028é\\x7f'|tojson }}{{ 'é😀'|tojson(ensure_ascii=true) }}", "{{ {'b': 1, 'a': {'d': 1, 'c': 2}}|tojson(sort_keys=true, indent=2) }}{{ []|tojson(indent=2) }}{{ {}|tojson(indent=2) }}{{ [[]]|tojson(indent=2) }}", "{{ d.items()|tojson }}", "{{ (d.items()|list)|tojson }}", "{{ {1: 1, 'a': 2}|tojson(sort_keys=true) }}", "{{ 1e16|tojson }}{{ 1e-5|tojson }}{{ 1.0|tojson }}{{ 123456789012345678901|tojson }}{{ -0.0|tojson }}", "{{ range(3)|tojson }}", "{{ l|map('int')|tojson }}", "{{ namespace()|tojson }}",
]


def snippets():
    yield from STATEMENTS
    for text, (method, calls) in itertools.product(TEXTS, TEXT_METHODS.items()):
        yield from (f"{{{{ [({text}).{method}({call})] }}}}" for call in calls)
    for value, (method, calls) in itertools.product(["l", "m", "(1, 2)"], LIST_METHODS.items()):
        yield from (f"{{{{ [{value}.{method}({call})] }}}}" for call in calls)
    for value, (method, calls) in itertools.product(["d", "ed"], DICT_METHODS.items()):
        yield from (f"{{{{ [{value}.{method}({call})] }}}}" for call in calls)
    yield from (f"{{{{ [{expression}] }}}}" for expression in [*OTHER_METHODS, *NUMBERS, *FORMATS, *SLICES])
    yield from (f"{{{{ {expression} }}}}" for expression in [*NUMBERS, *FORMATS])
    for value, (name, calls) in itertools.product(VALUES, FILTERS.items()):
        yield from (f"{{{{ [({value})|{name}{call}] }}}}" for call in calls)
    for value, (name, calls) in itertools.product(VALUES, TESTS.items()):
        yield from (f"{{{{ ({value}) is {name}{call} }}}}" for call in calls)
    for left, operator, right in itertools.product(PAIRS, OPERATORS, PAIRS):
        yield f"{{{{ [{left} {operator} {right}] }}}}"
    yield from (f"{{{{ {value} }}}}" for value in VALUES)


def main():
    golden = []
    for template in dict.fromkeys(snippets()):
        text = render(template)
        if text is not False:
            golden.append([template, text])
    OUT.parent.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(line, ensure_ascii=False) for line in golden)
    variables = json.dumps(VARIABLES, ensure_ascii=False)
    OUT.write_text(f'{{"variables": {variables},\n"snippets": [\n{lines}\n]}}\n', encoding="utf-8")
    print(len(golden), "snippets,", sum(text is None for _, text in golden), "raise")


if __name__ == "__main__":
    main()
