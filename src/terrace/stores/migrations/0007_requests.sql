-- Requests that a client may repeat: what was answered the first time, for a day. status 0: it is being carried out.
-- The answer is sealed: it may hold what is shown once.

CREATE TABLE requests (
    actor TEXT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    status BIGINT NOT NULL,
    answer BYTEA,
    PRIMARY KEY (actor, name)
);

CREATE INDEX requests_at ON requests (at);
