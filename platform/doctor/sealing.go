package doctor

import "github.com/knobot/knobot/platform/sealing"

// checkSealing is the check of the keys that seal secrets.
const checkSealing = "sealing"

// Sealing says whether the keys open every stored secret and the primary one sealed it. err is why they could not be read.
func Sealing(r sealing.Report, err error) Finding {
	switch {
	case err != nil:
		return Skip(checkSealing, "the stored secrets cannot be read")
	case r.Unreadable > 0:
		return Fail(checkSealing, "%d stored secrets do not open", r.Unreadable).
			With("restore the KNOBOT_ENCRYPTION_KEYSET that sealed them, or enter the secrets again")
	case r.Outdated() > 0:
		return Warn(checkSealing, "%d stored secrets are sealed by an older key", r.Outdated()).
			With("knobot keyset reseal: until then the older key must stay in KNOBOT_ENCRYPTION_KEYSET")
	default:
		return Fine(checkSealing, "the primary key seals every stored secret")
	}
}
