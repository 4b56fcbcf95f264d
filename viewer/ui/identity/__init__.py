"""Taking the identity out, in the window: what goes, the passphrase, a look at the pixels."""
