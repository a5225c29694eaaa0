
# Tests for roles: where they come from, and what each of them may do to whom.

use lib 't/lib';
use Test::Nginx::Chat;

arguments_config();

play();

__DATA__

=== TEST 1: what a member may not do
--- chat
own connect /chat?user=own&role=owner
bob connect /chat?user=bob other=own
eve connect /chat?user=eve
for who own bob eve
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
end
own < {"type":"ok","id":1,"role":"owner"}
for who bob eve
$who < {"type":"ok","id":1,"role":"member"}
end
for what "kick" "mute" "unmute" "ban" "unban" "grant","role":"owner"
bob > {"type":$what,"id":2,"room":"lobby","user":"eve"}
bob < {"type":"error","id":2,"code":"forbidden"}
end
for what "topic":"x" "slow":1 "locked":true "members_only":true
bob > {"type":"set","id":3,"room":"lobby",$what}
bob < {"type":"error","id":3,"code":"forbidden"}
end
eve > {"type":"send","id":4,"room":"lobby","text":"still here"}
bob < {"type":"message","seq":1,"user":"eve"}
bob > {"type":"edit","id":5,"room":"lobby","seq":1,"text":"x"}
bob < {"type":"error","id":5,"code":"forbidden"}
bob > {"type":"delete","id":6,"room":"lobby","seq":1}
bob < {"type":"error","id":6,"code":"forbidden"}



=== TEST 2: a moderator acts on members, an owner on everyone
--- chat
own connect /chat?user=own&role=owner
mod connect /chat?user=mod&role=moderator other=own
mod2 connect /chat?user=mod2&role=moderator
bob connect /chat?user=bob&role=member
for who own mod mod2 bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
for user own mod2 mod
for what kick mute ban
mod > {"type":"$what","id":2,"room":"lobby","user":"$user"}
mod < {"type":"error","id":2,"code":"forbidden"}
end
end
mod > {"type":"grant","id":3,"room":"lobby","user":"bob","role":"moderator"}
mod < {"type":"error","id":3,"code":"forbidden"}
mod > {"type":"mute","id":4,"room":"lobby","user":"bob"}
mod skip {"type":"ok","id":4}
own > {"type":"mute","id":5,"room":"lobby","user":"mod"}
own skip {"type":"ok","id":5}
mod > {"type":"send","id":6,"room":"lobby","text":"x"}
mod skip {"type":"error","id":6,"code":"muted"}

# muted he may still moderate, but not let himself off
mod > {"type":"unmute","id":7,"room":"lobby","user":"mod"}
mod skip {"type":"error","id":7,"code":"forbidden"}
mod > {"type":"unmute","id":8,"room":"lobby","user":"bob"}
mod skip {"type":"ok","id":8}
own > {"type":"kick","id":9,"room":"lobby","user":"mod2"}
own skip {"type":"ok","id":9}
mod2 skip {"type":"kicked","user":"mod2","by":"own"}



=== TEST 3: a grant, and its event
--- chat
own connect /chat?user=own&role=owner
bob connect /chat?user=bob other=own
for who own bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
own > {"type":"grant","id":2,"room":"lobby","user":"bob","role":"moderator"}
own skip {"type":"ok","id":2,"room":"lobby","user":"bob","role":"moderator"}
bob < {"type":"granted","room":"lobby","user":"bob","role":"moderator", \
    "by":"own","seq":"%absent"}
bob > {"type":"set","id":3,"room":"lobby","topic":"mine"}
bob skip {"type":"ok","id":3,"topic":"mine"}

# in this room alone, and also for his next connections
bob > {"type":"join","id":4,"room":"other"}
bob skip {"type":"ok","id":4,"role":"member"}
bob > {"type":"set","id":5,"room":"other","topic":"mine"}
bob skip {"type":"error","id":5,"code":"forbidden"}
bob drop
bob connect /chat?user=bob same=own
bob < {"type":"welcome"}
bob > {"type":"join","id":6,"room":"lobby","presence":true}
bob < {"type":"ok","id":6,"role":"moderator"}
ok grep { $_->{user} eq 'bob' && $_->{role} eq 'moderator' } \
    @{Test::Nginx::Chat::Match::decode($main::Script->client("bob")->{last}{payload})->{presence}}

# a demoted one's next frame is refused
own > {"type":"grant","id":7,"room":"lobby","user":"bob","role":"member"}
own skip {"type":"ok","id":7}
bob > {"type":"set","id":8,"room":"lobby","topic":"yours"}
bob skip {"type":"error","id":8,"code":"forbidden"}



=== TEST 4: the grant counts, but an owner by configuration stays one
--- chat
own connect /chat?user=own&role=owner
mod connect /chat?user=mod&role=moderator other=own
for who own mod
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
own > {"type":"grant","id":2,"room":"lobby","user":"mod","role":"member"}
own skip {"type":"ok","id":2}
mod > {"type":"set","id":3,"room":"lobby","topic":"x"}
mod skip {"type":"error","id":3,"code":"forbidden"}
own > {"type":"grant","id":4,"room":"lobby","user":"mod","role":"owner"}
own skip {"type":"ok","id":4,"role":"owner"}
mod > {"type":"grant","id":5,"room":"lobby","user":"own","role":"member"}
mod skip {"type":"ok","id":5}
own > {"type":"grant","id":6,"room":"lobby","user":"mod","role":"moderator"}
own skip {"type":"ok","id":6}

# nor is one kept out who was banned before anybody knew him as an owner
for what ban mute
mod > {"type":"$what","id":7,"room":"lobby","user":"own2"}
mod skip {"type":"ok","id":7}
end
own2 connect /chat?user=own2&role=owner
own2 < {"type":"welcome"}
own2 > {"type":"join","id":9,"room":"lobby"}
own2 < {"type":"ok","id":9,"role":"owner"}
own2 > {"type":"send","id":10,"room":"lobby","text":"it is my room"}
own2 skip {"type":"ok","id":10}

# now he is known
mod > {"type":"ban","id":11,"room":"lobby","user":"own2"}
mod skip {"type":"error","id":11,"code":"forbidden"}



=== TEST 5: a grant to who is away, by who is not there
--- chat
own connect /chat?user=own&role=owner
eve connect /chat?user=eve other=own
own < {"type":"welcome"}
eve < {"type":"welcome"}
eve > {"type":"join","id":1,"room":"lobby"}
eve < {"type":"ok","id":1}
own > {"type":"grant","id":2,"room":"lobby","user":"bob","role":"moderator"}
own < {"type":"ok","id":2}
eve < {"type":"granted","user":"bob","role":"moderator","by":"own"}
bob connect /chat?user=bob other=eve
bob < {"type":"welcome"}
bob > {"type":"join","id":3,"room":"lobby"}
bob < {"type":"ok","id":3,"role":"moderator"}
own > {"type":"grant","id":4,"room":"nowhere","user":"bob","role":"owner"}
own < {"type":"error","id":4,"code":"no_such_room"}
for role "admin" "" 1 null
own > {"type":"grant","id":5,"room":"lobby","user":"bob","role":$role}
own < {"type":"error","id":5,"code":"bad_request","field":"role"}
end
