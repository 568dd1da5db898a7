"""Ranks texts by how well they answer a question: PostgreSQL's stemmer, stop words and cover density, weighted by rarity.

PostgreSQL's ts_rank_cd knows no rarity: in “how do I set the port”, “set” counts as much as “port”. So each word of the question
is weighted by its inverse document frequency, as in BM25. The share of the question's weight that a text covers shows whether
the text is about the question at all.
"""

from collections.abc import Sequence
from typing import Any, Final

from django.db import connection
from msgspec import Struct

# A word that no text holds has half its weight: people use more words than a page does.
# 1|32 are ts_rank_cd's flags: divide by the logarithm of the text's length, and map the rank to 0 … 1.
_RANK: Final = """
    WITH given AS (
        SELECT ord, setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', body), 'C') AS words
        FROM unnest(%(titles)s::text[], %(bodies)s::text[]) WITH ORDINALITY AS one(title, body, ord)
    ), term AS (
        SELECT lexeme, quote_literal(lexeme)::tsquery AS query
        FROM unnest(tsvector_to_array(to_tsvector('english', %(question)s))) AS lexeme
    ), hit AS (
        SELECT lexeme, ord, ts_rank_cd(words, query, 1|32) AS rank FROM term JOIN given ON words @@ query
    ), weight AS (
        SELECT lexeme, ln(1 + ((SELECT count(*) FROM given) - count(ord) + 0.5) / (count(ord) + 0.5))
               * CASE count(ord) WHEN 0 THEN 0.5 ELSE 1 END AS rarity
        FROM term LEFT JOIN hit USING (lexeme) GROUP BY lexeme
    )
    SELECT ord, sum(rarity * rank) AS score, sum(rarity) / (SELECT sum(rarity) FROM weight) AS coverage,
           count(*) AS words, (SELECT count(*) FROM weight) AS asked
    FROM hit JOIN weight USING (lexeme) GROUP BY ord ORDER BY score DESC, ord
"""


class RankedText(Struct, frozen=True):
    """The text at `index`, which holds `words` of the `words_asked` words of the question."""

    index: int
    score: float
    coverage: float  # 0 … 1: the share of the question's weight that those words have
    words: int
    words_asked: int


def rank(question: str, texts: Sequence[tuple[str, str]]) -> list[RankedText]:
    """Returns the texts that hold words of the question, the best first. `texts` are pairs of title and body."""
    arguments: dict[str, Any] = {
        "question": question,
        "titles": [title for title, _ in texts],
        "bodies": [body for _, body in texts],
    }
    with connection.cursor() as cursor:
        cursor.execute(_RANK, arguments)
        rows = cursor.fetchall()
    return [
        RankedText(index=ord_ - 1, score=float(score), coverage=float(coverage), words=words, words_asked=asked)
        for ord_, score, coverage, words, asked in rows
    ]


def has_only_stop_words(question: str) -> bool:
    """True for “what is this?” and “who are you?”, and for a question without words."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_tsvector('english', %s) = ''", [question])
        row = cursor.fetchone()
    return bool(row and row[0])
