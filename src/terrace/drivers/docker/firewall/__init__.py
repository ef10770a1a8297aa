"""Rules of the kernel's packet filter in the engine's network: what may pass, and between which networks.

All of one installation stands in one table of nftables, which says in comments whose each part is, so that a listing
of it is the truth. Guests are known by their fixed addresses: their rules stand before they start and while they do not
run. Rules only ever take away in our own table; the one place where the engine's own rules would drop what ours let
pass is its chain for users, which gets one rule that lets what carries our mark go on.
"""
