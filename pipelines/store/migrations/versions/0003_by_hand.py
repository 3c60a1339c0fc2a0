"""Stories joined and set apart by hand; an undo says which decision it takes back; what a story is news of."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("decisions", sa.Column("other", sa.Integer()))
    op.add_column("decisions", sa.Column("undoes", sa.Integer()))
    op.create_index("ix_decisions_other", "decisions", ["other"])
    op.create_index("ix_decisions_undoes", "decisions", ["undoes"])
    _say_what_was_undone()
    op.add_column("stories", sa.Column("follows", sa.Date()))
    op.execute(sa.text("UPDATE articles SET fresh = true"))


def _say_what_was_undone() -> None:
    """Until now an undo took back the newest decision of its story that stood; from now on it names it."""
    connection = op.get_bind()
    standing: dict[int, list[int]] = {}
    undone = []
    for one, story, action in connection.execute(
        sa.text(
            "SELECT decisions.id, COALESCE(story_members.story_id, decisions.story), decisions.action FROM decisions"
            " LEFT JOIN story_members ON story_members.article_id = decisions.story ORDER BY decisions.id"
        )
    ):
        before = standing.setdefault(story, [])
        if action != "undo":
            before.append(one)
        elif before:
            undone.append({"undo": one, "undoes": before.pop()})
    if undone:
        connection.execute(sa.text("UPDATE decisions SET undoes = :undoes WHERE id = :undo"), undone)
