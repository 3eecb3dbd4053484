-- What models wrote and cost, summed by day (UTC), knowledge base and model. The knowledge base's name is kept and no
-- reference: what was paid for one that is gone was paid all the same.
create table model_usage (
    day            date not null,
    knowledge_base text not null,
    model          text not null,
    answers        bigint not null,
    input_tokens   bigint not null,
    output_tokens  bigint not null,
    -- Millionths of the currency that prices are set in.
    cost_micros    bigint not null,
    primary key (day, knowledge_base, model)
);

-- How many answers of models somebody had on a day (UTC): a customer or a knowledge base, as a hash. Days that are over are
-- of no use.
create table model_allowances (
    day     date not null,
    subject bytea not null,
    answers bigint not null,
    primary key (day, subject)
);

---- create above / drop below ----

drop table model_allowances;
drop table model_usage;
