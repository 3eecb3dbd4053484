-- What WhatsApp says of each message's price, in Meta's own words; empty until a delivery report says so.
alter table delivery_parts
    add column billable         boolean not null default false,
    add column pricing_model    text not null default '',
    add column pricing_type     text not null default '',
    add column pricing_category text not null default '';
