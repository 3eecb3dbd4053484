package postgres_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/knobot/knobot/services/conversation/migrations"
)

// TestMigrationGivesANumberInTwoFormsToWhomItWasSeenWithLast takes the third migration back and runs it over rows of before.
func TestMigrationGivesANumberInTwoFormsToWhomItWasSeenWithLast(t *testing.T) {
	t.Parallel()
	b := setup(t)
	text, err := migrations.FS.ReadFile("003_inbound.sql")
	require.NoError(t, err)
	up, down, ok := strings.Cut(string(text), "---- create above / drop below ----")
	require.True(t, ok)
	b.exec(down)
	b.exec(`insert into users (integration_id, platform, username, phone, last_seen_time) values
		('wa-1', 'whatsapp', 'older', '541112345678', now() - interval '9 days'),
		('wa-1', 'whatsapp', 'newer', '5491112345678', now() - interval '1 day'),
		('wa-2', 'whatsapp', 'elsewhere', '541112345678', now() - interval '9 days'),
		('wa-1', 'whatsapp', 'other', '573001234567', now())`)
	b.exec(up)
	require.Equal(t, 1, b.count("users where username = 'older' and phone is null"))
	require.Equal(t, 1, b.count("users where username = 'newer' and phone = '5491112345678' and phone_key = '541112345678' and phone_seen_time < now() - interval '23 hours'"))
	require.Equal(t, 2, b.count("users where username in ('elsewhere', 'other') and phone_key = phone"))
}
