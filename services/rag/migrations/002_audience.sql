-- For whom a document is, and who stands behind it: customers are answered from what is public and the company's own.
alter table documents
    add column audience text not null default 'public' check (audience in ('public', 'internal')),
    add column trust    text not null default 'company' check (trust in ('company', 'user', 'draft'));

---- create above / drop below ----

alter table documents drop column audience, drop column trust;
