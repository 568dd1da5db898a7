"""Which texts answer a question best: PostgreSQL's stemmer, stop words and cover density, weighed by how rare a word is.

ts_rank_cd alone knows no rarity: in “how do I set the port” it takes “set” for as telling as “port”. So each word of the
question counts by its inverse document frequency, as in BM25, and the share of that weight which a text covers tells whether
it is about the question at all.
"""

from collections.abc import Sequence
from typing import Any, Final

from django.db import connection
from msgspec import Struct

# A word that no text holds counts half: people say more than a page does.
# 1|32: long texts count less, and a word said ten times is not ten times as telling.
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
    SELECT ord, sum(rarity * rank) AS score, sum(rarity) / (SELECT sum(rarity) FROM weight) AS covered,
           count(*) AS words, (SELECT count(*) FROM weight) AS asked
    FROM hit JOIN weight USING (lexeme) GROUP BY ord ORDER BY score DESC, ord
"""


class Found(Struct, frozen=True):
    """The text at `index`. It holds `words` of the `asked` words of the question; `covered`: their share of its weight, to 1."""

    index: int
    score: float
    covered: float
    words: int
    asked: int


def rank(question: str, texts: Sequence[tuple[str, str]]) -> list[Found]:
    """The texts, given as title and body, that hold words of the question; the best first."""
    arguments: dict[str, Any] = {
        "question": question,
        "titles": [title for title, _ in texts],
        "bodies": [body for _, body in texts],
    }
    with connection.cursor() as cursor:
        cursor.execute(_RANK, arguments)
        rows = cursor.fetchall()
    return [
        Found(index=ord_ - 1, score=float(score), covered=float(covered), words=words, asked=asked)
        for ord_, score, covered, words, asked in rows
    ]


def says_nothing(question: str) -> bool:
    """Whether the question is made of stop words alone: “what is this?”, “who are you?”."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_tsvector('english', %s) = ''", [question])
        row = cursor.fetchone()
    return bool(row and row[0])
