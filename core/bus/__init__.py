"""The message bus: NATS JetStream behind a small interface. Nothing else imports `nats`."""
