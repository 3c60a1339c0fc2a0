"""Run by Alembic. The connection, its transaction and what is done about errors come from `migrate`."""

from alembic import context

from pipelines.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
