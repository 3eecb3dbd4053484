package conversation

// PhoneKey returns the one form of a number that providers write in two ways. It finds users; numbers are stored, and
// answered, as they were given. Argentina's mobile numbers come with and without a 9 after the country code, Mexico's with and
// without a 1, Brazil's with and without the ninth digit (for Brazil and Mexico wa_id may differ from the number that a message
// was sent to: Cloud API, Service messages, 2026-09-11). The same rule stands in the migration as users.phone_key.
func PhoneKey(phone string) string {
	if !digits(phone) {
		return phone // a BSUID in the number's place, or nothing
	}
	switch {
	case len(phone) == 13 && phone[:3] == "549":
		return "54" + phone[3:]
	case len(phone) == 13 && phone[:3] == "521":
		return "52" + phone[3:]
	case len(phone) == 13 && phone[:2] == "55" && phone[2] != '0' && phone[3] != '0' && phone[4] == '9' && phone[5] >= '6':
		return phone[:4] + phone[5:] // of eight digits, only those from 6 on are mobile
	default:
		return phone
	}
}

func digits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}
