package sealing

import "github.com/knobot/knobot/platform/doctor"

// check is the doctor's name for the keys that seal secrets.
const check = "sealing"

// Finding says whether the keys open every stored secret and the primary one sealed it. err is why they could not be read.
func Finding(r Report, err error) doctor.Finding {
	switch {
	case err != nil:
		return doctor.Skip(check, "the stored secrets cannot be read")
	case r.Unreadable > 0:
		return doctor.Fail(check, "%d stored secrets do not open", r.Unreadable).
			With("restore the KNOBOT_ENCRYPTION_KEYSET that sealed them, or enter the secrets again")
	case r.Outdated() > 0:
		return doctor.Warn(check, "%d stored secrets are sealed by an older key", r.Outdated()).
			With("knobot keyset reseal: until then the older key must stay in KNOBOT_ENCRYPTION_KEYSET")
	default:
		return doctor.Fine(check, "the primary key seals every stored secret")
	}
}
