"""Templates as lm-evaluation-harness renders them, for `jinja::parse_plain`; null is an error.

    python tests/oracles/jinja_plain.py > plugins/jinja/tests/plain.json
"""

import json

from lm_eval.utils import apply_template

VARIABLES = {"question": "Why?", "n": 3, "f": 2.5, "none": None, "truth": True, "empty": "", "label": 1,
             "choices": ["red", "green"], "nested": {"text": ["a", "b"], "label": [0, 1]}, "rows": [{"a": 1}, {"b": 2}]}

TEMPLATES = [
    "Q: {{question}}\nA:", "{{question}}\n", "{{question}}\n\n", "{% if truth %}\nyes\n{% endif %}\nend",
    "a\n  {% if truth %}  b  {% endif %}\n  c", "a  {#- x -#}  b", "a {# x #}\nb", "{%- if truth -%} b {%- endif -%}",
    "{% raw %}\n{{x}}\n{% endraw %}\n", "{{choices}}", "{{choices[label]}}", "{{['A', 'B'][label]}}", "{{nested.text}}",
    "{{nested['label']|join(', ')}}", "{{n}} {{f}} {{none}} {{truth}}", "{{n / 2}} {{n // 2}} {{n % 2}} {{n ** 2}}",
    "{% for c in choices %}{{loop.index}}. {{c}}\n{% endfor %}", "{% for c in choices %}\n{{ 'AB'[loop.index0] }}) {{c}}\n{% endfor %}\n",
    "{{choices.index('green')}}", "{{question|upper}} {{question.strip('?')}}", "{{question.replace('W', 'w')|trim}}",
    "{{missing}}", "{{missing.x}}", "{% if missing %}a{% endif %}", "{{missing is defined}}", "{{missing|default('d')}}",
    "{{nested.missing}}", "{{nested.missing is defined}}", "{{nested.missing|default('d', true)}}", "{% for x in missing %}{% endfor %}",
    "{{missing == 1}}", "{{missing or 'x'}}", "{{not missing}}", "{{'a' if truth}}", "{{'a' if empty}}", "{{'a' if empty else 'b'}}",
    "{{missing|length}}", "{{missing|upper}}", "{{missing ~ 'a'}}", "{{missing in choices}}", "{{choices[5]}}", "{{choices[5] is defined}}",
    "{{rows|map(attribute='a')|list}}", "{{rows|map(attribute='a')|join(',')}}", "{{rows|map(attribute='a', default=0)|join(',')}}",
    "{{rows|selectattr('a')|list}}", "{{rows|sum(attribute='a')}}", "{{raise_exception('x')}}", "{{strftime_now('%Y')}}",
    "{{strftime_now is defined}}", "{{range(3)|list}}", "{{dict(a=1)}}", "{{question|nothing}}", "{% set x = question %}{{x}}",
    "{{question.split('h')[-1]}}", "{{'%s-%d'|format(question, n)}}", "{{'{}: {}'.format(question, n)}}", "{{question[::-1]}}",
    "{{label}}", "{{ {'a': 1}['a'] }}", "{{(n, f)}}", "a\r\nb\rc", "{{question}} \n {%- if truth %} x{% endif +%}\n", "",
    "{{nested}}", "{{rows[0].a}} {{rows[1].a}}", "{{choices|first}}{{choices|last}}",
    "{{\"It's\"}} {{['It\\'s', \"a\\\"b\"]}}", "{{'<&>'}}", "{{['é', '\\n']}}",
]


def rendered(template):
    try:
        return apply_template(template, VARIABLES)
    except Exception:
        return None


snippets = [json.dumps([template, rendered(template)]) for template in TEMPLATES]
print('{"variables": ' + json.dumps(VARIABLES) + ',\n"snippets": [\n' + ",\n".join(snippets) + "\n]}")
