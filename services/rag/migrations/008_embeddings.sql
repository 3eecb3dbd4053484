-- An index has the vectors of one embedding model; '' is that of keywords alone.
alter table knowledge_bases
    add column index_model text not null default '',
    -- That of the one that is being made.
    add column next_model  text not null default '';

alter table index_garbage add column model text not null default '';

-- The model that indexes shall have: that of the program started last. It has one row.
create table embedding (
    model text not null
);

insert into embedding (model) values ('');

---- create above / drop below ----

drop table embedding;
alter table index_garbage drop column model;
alter table knowledge_bases drop column index_model, drop column next_model;
