"""Templates that ask for unbounded time or memory, or for what is closed; and a process to try them in.

Run as a program, it compiles and renders each within one GiB of address space and prints {name: outcome} as JSON.
"""

import json
import resource
import sys

from corpusmill.spec.errors import RenderError, TemplateError
from corpusmill.spec.template import compile_template

ADDRESS_SPACE_BYTES = 2**30
VALUES: dict[str, object] = {"a": "a", "b": "b", "big": "ab " * 300_000, "list": ["x"] * 1000}


def again(start: str, step: str, times: int, end: str = "") -> str:
    """`x` set to a start value, then a step on it many times over."""
    return f"{{% set x = {start} %}}" + f"{{% set x = {step} %}}" * times + end


def loop(body: str, times: int = 100_000) -> str:
    return f"{{% for i in range({times}) %}}{body}{{% endfor %}}"


ATTACKS: dict[str, str] = {
    # loops
    "nested loops": loop(loop(loop("x"))),
    "small loops, deeply nested": loop(loop(loop(loop("", 100), 100), 100), 100),
    "many loops": loop("", 10_000) * 200,
    "loop over a large body": loop("{{ a }}" * 4000),
    "loop over large text": loop("A" * 900_000),
    "loop with a filter": loop("{% for x in list if x > i ~ '' %}{% endfor %}"),
    "range": "{{ range(999999999999) }}",
    "range beyond machine integers": "{% for i in range(9223372036854775807) %}{% endfor %}",
    "recursive loop": "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    # growth of text
    "repeated text": "{{ 'x' * 1000000000 }}",
    "text repeated less than never": loop("{% set y = 'xxxxx' * -10000000 %}") + loop("{{ big }}"),
    "doubling by ~": again("'aaaaaaaaaa'", "x ~ x", 60),
    "doubling by +": again("'aaaaaaaaaa'", "x + x", 60),
    "replace": again("'aaaaaaaaaa'", "x | replace('a', 'aaaaaaaaaa')", 20),
    "replace of nothing": "{{ big | replace('', big) }}",
    "replace as a method": again("'aaaaaaaaaa'", "x.replace('', x)", 20),
    "join": again("'aaaaaaaaaa'", "[x, x, x, x] | join(x)", 20),
    "join as a method": again("'aaaaaaaaaa'", "x.join(x)", 20),
    "output": "{{ big }}" * 100,
    "json escapes": again("'\x01'", "x ~ x", 19, loop("{% set y = x | tojson %}")),
    # growth of lists
    "doubling lists": again("[1, 1]", "x + x", 60),
    "repeated list": "{{ [1] * 1000000000 }}",
    "split": loop("{% set y = big.split(' ') %}"),
    "split without a separator": again("'\u0436 '", "x ~ x", 21, "{% set y = x.split() %}"),
    "list of characters": again("'\u0436\u0437'", "x ~ x", 20, "{% set y = x | list %}"),
    # lists that share what they hold: small in memory, endless when read
    "print a shared list": again("[1, 1]", "[x, x]", 45, "{{ x }}"),
    "compare shared lists": again("[1, 1]", "[x, x]", 45, "{{ x == [x, x] }}"),
    "sort shared lists": again("[1, 1]", "[x, x]", 45, "{{ [x, [x, x]] | sort }}"),
    "json of a shared mapping": again("{'a': 1}", "{'a': x, 'b': x}", 45, "{{ x | tojson }}"),
    "hash a shared tuple": again("(1, 1)", "(x, x)", 45, "{{ {x: 1} }}"),
    "look up a shared tuple": again("(1, 1)", "(x, x)", 45, "{{ {'a': 1}[x] }}"),
    "look for a shared tuple": again("(1, 1)", "(x, x)", 45, "{{ x in {'a': 1} }}"),
    "unique shared tuples": again("(1, 1)", "(x, x)", 45, "{{ [x] | unique }}"),
    "deep list": again("[1]", "[x]", 1000, "{{ x }}"),
    # work without growth
    "upper": loop("{% set y = big | upper %}"),
    "title": loop("{% set y = big | title %}"),
    "wordcount": loop("{% set y = big | wordcount %}"),
    "slices": loop("{% set y = big[::-1] %}"),
    "comparison": "{% set x = big ~ 'a' %}{% set y = big ~ 'a' %}" + loop("{% if x == y %}{% endif %}"),
    "quadratic search": "{% set n = 'a' * 1200 ~ 'b' %}{% set h = 'a' * 2490 %}" + loop("{% if n in h %}{% endif %}"),
    "quadratic search from behind": "{% set n = 'b' ~ 'a' * 90 %}{% set h = 'a' * 29000 %}"
    + loop("{% if h.split(n) %}{% endif %}"),
    "strip of many characters": f"{{{{ big.strip('{'xyz' * 2000}') }}}}",
    "sort": "{% set y = ('b a ' * 20000).split(' ') %}" + loop("{% set z = y | sort %}"),
    # numbers
    "power": "{{ 9 ** 9 ** 9 ** 9 }}",
    "squares": again("999999999999", "x * x", 30, "{{ x }}"),
    "digits": "{{ " + "9" * 5000 + " }}",
    "hexadecimal digits": "{{ 0x" + "f" * 100_000 + " }}",
    "rounding to a huge place": "{{ 1 | round(-1000000000) }}",
    "integer of a long text": loop("{% set y = ('9' * 4000) | int * 2 %}"),
    # widths
    "format filter": "{{ '%1000000000d' | format(1) }}",
    "% on text": "{{ '%1000000000d' % 1 }}",
    "format method": "{{ '{:>1000000000}'.format(1) }}",
    "format_map": "{{ '{0.__class__}'.format_map({}) }}",
    "ljust": "{{ 'x'.ljust(1000000000) }}",
    "zfill": "{{ 'x'.zfill(1000000000) }}",
    "expandtabs": "{{ '\t'.expandtabs(1000000000) }}",
    "center": "{{ 'x' | center(1000000000) }}",
    "indent": "{{ 'x' | indent(1000000000) }}",
    "wordwrap": "{{ big | wordwrap(1) }}",
    "pprint": "{{ big | pprint }}",
    # the source itself
    "too long": "{{ a }}" * 200_000,
    "too many tokens": "{{a}}" * 19_000,
    "parentheses": "{{ " + "(" * 100_000 + ")" * 100_000 + " }}",
    "brackets": "{{ " + "[" * 100_000 + "]" * 100_000 + " }}",
    "braces": "{" * 900_000,
    "chain of +": "{{ " + "a + " * 9000 + "a }}",
    "chain of or": "{{ " + "a or " * 5000 + "a }}",
    "chain of filters": "{{ a" + " | upper" * 5000 + " }}",
    "chain of subscripts": "{{ a" + "[0]" * 5000 + " }}",
    "chain of not": "{{ " + "not " * 15_000 + "a }}",
    "chain of if else": "{{ " + "a if b else " * 4000 + "a }}",
    "nested if": "{% if 1 %}" * 3000 + "{% endif %}" * 3000,
    "remarks without end": "{#" * 300_000,
    "raw without end": "{% raw %}" * 50_000,
    # what is closed
    "class": "{{ ''.__class__.__mro__ }}",
    "class by subscript": "{{ ''['__class__'] }}",
    "class by built name": "{{ ''['__cla' ~ 'ss__'] }}",
    "class by filter": "{{ '' | attr('__class__') }}",
    "method as a value": "{{ a.upper }}",
    "get of a class": "{{ {}.get('__class__').x }}",
    "macro": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "include": "{% include 'x' %}",
    "import": "{% import 'x' as y %}",
    "from": "{% from 'x' import y %}",
    "extends": "{% extends 'x' %}",
    "block": "{% block a %}{% endblock %}",
    "call": "{% call f() %}{% endcall %}",
    "filter block": "{% filter upper %}a{% endfilter %}",
    "with": "{% with x = 1 %}{% endwith %}",
    "autoescape": "{% autoescape true %}{% endautoescape %}",
    "debug": "{% debug %}",
    "do": "{% do a.upper() %}",
    "lipsum": "{{ lipsum(1000000) }}",
    "random": "{{ list | random }}",
    "shuffle": "{{ list | shuffle }}",
    "cycler": "{{ cycler(1) }}",
    "namespace": "{% set n = namespace(x=1) %}",
    "dict": "{{ dict(a=1) }}",
    "self": "{{ self }}",
    "call of a value": "{{ a() }}",
    "call of a call": "{{ a.upper()() }}",
    "budget as an argument": "{{ a | upper(budget=1) }}",
    "arguments by *": "{{ range(*big) }}",
}  # fmt: skip


def outcome(source: str) -> str:
    """The name of the error that refuses a template, or what it rendered."""
    try:
        return f"rendered {compile_template(source).render(VALUES)[:80]!r}"
    except (TemplateError, RenderError) as error:
        return type(error).__name__
    except (MemoryError, RecursionError) as error:
        return f"not stopped before {type(error).__name__}"


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    json.dump({name: outcome(source) for name, source in ATTACKS.items()}, sys.stdout)
