-- Who asked in vain last, as a hash of the caller's key, so that it can be forgotten with them.
alter table unanswered_questions add column customer bytea;
create index unanswered_questions_customer on unanswered_questions (customer) where customer is not null;

---- create above / drop below ----

drop index unanswered_questions_customer;
alter table unanswered_questions drop column customer;
