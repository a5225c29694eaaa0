
# Tests for mute and unmute.

use lib 't/lib';
use Test::Nginx::Chat;

arguments_config();

play();

__DATA__

=== TEST 1: who is muted reads and does not write
--- chat
ann connect /chat?user=ann&role=moderator
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
bob > {"type":"send","id":2,"room":"lobby","text":"before"}
bob skip {"type":"ok","id":2,"seq":1}
ann < {"type":"message","seq":1}
ann > {"type":"mute","id":2,"room":"lobby","user":"bob","reason":"loud"}
ann skip {"type":"ok","id":2,"room":"lobby","user":"bob","until":null}
bob skip {"type":"muted","room":"lobby","seq":2,"user":"bob","by":"ann", \
    "until":null,"reason":"loud","ts":"%int"}
for what "send","text":"x" "edit","seq":1,"text":"y" "react","seq":1,"emoji":"+" "typing"
bob > {"type":$what,"id":3,"room":"lobby"}
bob < {"type":"error","id":3,"code":"muted","until":null,"message":"%string"}
end
for what "history" "members" "read","seq":1
bob > {"type":$what,"id":4,"room":"lobby"}
bob skip {"type":"ok","id":4}
end

# by name, so on a new connection too
bob drop
bob connect /chat?user=bob
bob < {"type":"welcome"}
bob > {"type":"join","id":5,"room":"lobby"}
bob < {"type":"ok","id":5}
bob > {"type":"send","id":6,"room":"lobby","text":"x"}
bob < {"type":"error","id":6,"code":"muted"}
bob > {"type":"send","id":6,"to":"ann","text":"elsewhere"}
bob skip {"type":"ok","id":6}
bob > {"type":"join","id":7,"room":"other"}
bob skip {"type":"ok","id":7}
bob > {"type":"send","id":8,"room":"other","text":"elsewhere"}
bob skip {"type":"ok","id":8}

ann > {"type":"unmute","id":9,"room":"lobby","user":"bob","reason":"well"}
ann skip {"type":"ok","id":9,"room":"lobby","user":"bob","until":null}
bob skip {"type":"unmuted","user":"bob","by":"ann","until":null,"reason":"well"}
bob > {"type":"send","id":10,"room":"lobby","text":"after"}
bob skip {"type":"ok","id":10,"seq":4}



=== TEST 2: a mute with an end
--- chat
ann connect /chat?user=ann&role=moderator
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
set now = int(Time::HiRes::time() * 1000)
ann > {"type":"mute","id":2,"room":"lobby","user":"bob","duration":600}
ann skip {"type":"ok","id":2,"until":"$until"}
ok $until >= $now + 590 && $until <= $now + 5600
bob < {"type":"muted","until":$until}
bob > {"type":"send","id":3,"room":"lobby","text":"x"}
bob < {"type":"error","id":3,"code":"muted","until":$until}
bob nothing 700ms
bob > {"type":"send","id":4,"room":"lobby","text":"it has ended"}
bob skip {"type":"ok","id":4}

# a second one takes the place of the first
ann > {"type":"mute","id":5,"room":"lobby","user":"bob","duration":3600000}
ann skip {"type":"ok","id":5,"until":"%int"}
ann > {"type":"mute","id":6,"room":"lobby","user":"bob"}
ann skip {"type":"ok","id":6,"until":null}
bob > {"type":"send","id":7,"room":"lobby","text":"x"}
bob skip {"type":"error","id":7,"code":"muted","until":null}
ann > {"type":"mute","id":8,"room":"lobby","user":"bob","duration":9007199254740991}
ann skip {"type":"ok","id":8,"until":9007199254740991}



=== TEST 3: unmute of who is not muted is ok, and nothing happens
--- chat
ann connect /chat?user=ann&role=moderator
ann < {"type":"welcome"}
ann > {"type":"join","id":1,"room":"lobby"}
ann < {"type":"ok","id":1}
ann > {"type":"unmute","id":2,"room":"lobby","user":"bob"}
ann < {"type":"ok","id":2,"room":"lobby","user":"bob","until":null}
ann > {"type":"unban","id":3,"room":"lobby","user":"bob"}
ann < {"type":"ok","id":3,"room":"lobby","user":"bob","until":null}
ann > {"type":"history","id":4,"room":"lobby"}
ann < {"type":"ok","id":4,"messages":[]}



=== TEST 4: who is away can be muted, also before he was ever there
--- chat
ann connect /chat?user=ann&role=moderator
ann < {"type":"welcome"}
ann > {"type":"join","id":1,"room":"lobby"}
ann < {"type":"ok","id":1}
ann > {"type":"mute","id":2,"room":"lobby","user":"bob"}
ann skip {"type":"ok","id":2}
bob connect /chat?user=bob other=ann
bob < {"type":"welcome"}
bob > {"type":"join","id":3,"room":"lobby"}
bob < {"type":"ok","id":3,"messages":[{"type":"muted","user":"bob"}]}
bob > {"type":"send","id":4,"room":"lobby","text":"x"}
bob < {"type":"error","id":4,"code":"muted"}
