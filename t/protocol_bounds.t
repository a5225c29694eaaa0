
# Tests for values at the ends of their ranges, and one beyond.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config('chat_zone chat:4m; chat_rate off;');

default_config(<<'_EOC_');
    location /chat {
        chat               chat;
        chat_user          $arg_user;
        chat_user_role     $arg_role;
        chat_history_page  10;
        chat_presence      off;
    }
_EOC_

play();

__DATA__

=== TEST 1: emoji and nonce, by bytes and not by characters
--- chat
ann connect /chat?user=ann
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"r"}
$who < {"type":"ok","id":1}
end
ann > {"type":"send","id":2,"room":"r","text":"x"}
ann skip {"type":"ok","id":2}
bob < {"type":"message","seq":1}
for emoji "$('\u00e9' x 16)" "$('\ud83d\ude00' x 8)" "$('e' x 32)" "\u0001" "\u0020"
ann > {"type":"react","id":3,"room":"r","seq":1,"emoji":$emoji}
ann skip {"type":"ok","id":3}
bob < {"type":"reacted","emoji":$emoji,"on":true}
end
for emoji "$('\u00e9' x 16)e" "$('\ud83d\ude00' x 8)e" "$('\u20ac' x 11)" "a\u0000" [] {"a":1} true
ann > {"type":"react","id":4,"room":"r","seq":1,"emoji":$emoji}
ann skip {"type":"error","id":4,"code":"bad_request","field":"emoji"}
end
for nonce "$('\u00e9' x 32)" "$('\ud83d\ude00' x 16)" "$('n' x 64)" "\u0001\"\\" "$('n' x 63)"
ann > {"type":"send","id":5,"room":"r","text":"x","nonce":$nonce}
ann skip {"type":"ok","id":5,"duplicate":"%absent"}
bob < {"type":"message","nonce":$nonce}
end
for nonce "$('\u00e9' x 32)" "$('\ud83d\ude00' x 16)" "$('n' x 64)" "\u0001\"\\" "$('n' x 63)"
ann > {"type":"send","id":6,"room":"r","text":"x","nonce":$nonce}
ann skip {"type":"ok","id":6,"duplicate":true}
end
for nonce "$('\u00e9' x 32)n" "$('n' x 65)" 5 [] {"a":1} true
ann > {"type":"send","id":7,"room":"r","text":"x","nonce":$nonce}
ann skip {"type":"error","id":7,"code":"bad_request","field":"nonce"}
end

# however it is written it is the same one
ann > {"type":"send","id":8,"room":"r","text":"x","nonce":"\u006e/\u00e9"}
ann skip {"type":"ok","id":8,"duplicate":"%absent"}
ann text $(qq({"type":"send","id":9,"room":"r","text":"x","nonce":"n\\/\xc3\xa9"}))
ann skip {"type":"ok","id":9,"duplicate":true}



=== TEST 2: a ban and a mute of no time have ended at once
--- chat
ann connect /chat?user=ann&role=moderator
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"r"}
$who < {"type":"ok","id":1}
end
ann > {"type":"mute","id":2,"room":"r","user":"bob","duration":0}
ann skip {"type":"ok","id":2,"until":"$until"}
bob < {"type":"muted","user":"bob","until":$until}
bob nothing 10ms
bob > {"type":"send","id":3,"room":"r","text":"x"}
bob skip {"type":"ok","id":3}
ann > {"type":"ban","id":3,"room":"r","user":"bob","duration":0}
ann skip {"type":"ok","id":3,"until":"%>=$until"}
bob skip {"type":"banned","user":"bob"}
bob nothing 10ms
bob > {"type":"history","id":4,"room":"r"}
bob < {"type":"error","id":4,"code":"not_joined"}
bob > {"type":"join","id":5,"room":"r"}
bob < {"type":"ok","id":5}



=== TEST 3: and of the longest time end then
--- chat
ann connect /chat?user=ann&role=moderator
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"r"}
$who < {"type":"ok","id":1}
end
ann > {"type":"mute","id":2,"room":"r","user":"bob","duration":9007199254740991}
ann skip {"type":"ok","id":2,"until":9007199254740991}
bob < {"type":"muted","until":9007199254740991}
bob > {"type":"send","id":3,"room":"r","text":"x"}
bob < {"type":"error","id":3,"code":"muted","until":9007199254740991}
ann > {"type":"ban","id":3,"room":"r","user":"bob","duration":9007199254740991}
ann skip {"type":"ok","id":3,"until":9007199254740991}
bob < {"type":"banned","until":9007199254740991}
bob > {"type":"join","id":4,"room":"r"}
bob < {"type":"error","id":4,"code":"banned","until":9007199254740991}
for duration -1 1.5 "1" null true 9007199254740992 1e3
for what mute unmute ban unban
ann > {"type":"$what","id":4,"room":"r","user":"bob","duration":$duration}
ann skip {"type":"error","id":4,"code":"bad_request","field":"duration"}
end
end
for what kick mute unmute ban unban
ann > {"type":"$what","id":5,"room":"r","user":"bob","reason":"$('r' x 513)"}
ann skip {"type":"error","id":5,"code":"bad_request","field":"reason"}
ann > {"type":"$what","id":6,"room":"r","user":"$('u' x 65)"}
ann skip {"type":"error","id":6,"code":"bad_request","field":"user"}
ann > {"type":"$what","id":7,"room":"r"}
ann skip {"type":"error","id":7,"code":"bad_request","field":"user"}
end
ann > {"type":"mute","id":8,"room":"r","user":"$('u' x 64)","reason":"$('\u00e9' x 256)"}
ann skip {"type":"ok","id":8,"user":"$('u' x 64)"}
ann > {"type":"history","id":9,"room":"r","limit":1}
ann skip {"type":"ok","id":9,"messages":[{"type":"muted","reason":"$('\u00e9' x 256)"}]}



=== TEST 4: several settings at once are one entry, and all or none
--- chat
ann connect /chat?user=ann&role=owner
bob connect /chat?user=bob&role=member other=ann
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"r"}
$who < {"type":"ok","id":1}
end
ann > {"type":"set","id":2,"room":"r","topic":"t","slow":3600000,"locked":true,"members_only":true}
ann skip {"type":"ok","id":2,"room":"r","topic":"t","slow":3600000,"locked":true,"members_only":true}
bob < {"type":"room","room":"r","seq":1,"user":"ann","topic":"t","slow":3600000,"locked":true,"members_only":true}
for bad "topic":"x","slow":-1 "topic":"x","slow":1.5 "topic":"x","slow":"1" "topic":"x","slow":null "topic":"x","locked":0 "topic":"x","locked":"true" "topic":"x","members_only":null "slow":1,"topic":1 "slow":1,"topic":null
ann > {"type":"set","id":3,"room":"r",$bad}
ann skip {"type":"error","id":3,"code":"bad_request"}
end
bob > {"type":"join","id":4,"room":"r"}
bob < {"type":"ok","id":4,"seq":1,"topic":"t","slow":3600000,"locked":true,"members_only":true}

# what is set to what it was is set, and said
ann > {"type":"set","id":5,"room":"r","slow":3600000}
ann skip {"type":"ok","id":5,"topic":"t","slow":3600000,"locked":true,"members_only":true}
bob < {"type":"room","seq":2,"slow":3600000,"topic":"%absent","locked":"%absent"}
bob > {"type":"send","id":6,"room":"r","text":"x"}
bob < {"type":"error","id":6,"code":"locked"}
ann > {"type":"set","id":7,"room":"r","locked":false}
ann skip {"type":"ok","id":7,"locked":false}
bob < {"type":"room","seq":3,"locked":false,"slow":"%absent"}
bob > {"type":"send","id":8,"room":"r","text":"x"}
bob skip {"type":"ok","id":8,"seq":4}
bob > {"type":"send","id":9,"room":"r","text":"x"}
bob skip {"type":"error","id":9,"code":"slow_mode","retry_after":"%<=3600000"}



=== TEST 5: slow counts from the latest message, and says so exactly
--- chat
ann connect /chat?user=ann&role=owner
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"r"}
$who < {"type":"ok","id":1}
end

# a message from before counts too
bob > {"type":"send","id":2,"room":"r","text":"x","nonce":"n"}
bob skip {"type":"ok","id":2,"ts":"$ts"}
ann > {"type":"set","id":2,"room":"r","slow":86400000}
ann skip {"type":"ok","id":2}
bob > {"type":"send","id":3,"room":"r","text":"y"}
bob skip {"type":"error","id":3,"code":"slow_mode","retry_after":"$left"}
ok $left > 86400000 - 10000 && $left <= 86400000

# what is no message has no time: nor has what was sent before
for what "typing" "read","seq":1 "react","seq":1,"emoji":"+" "edit","seq":1,"text":"z" "delete","seq":1
bob > {"type":$what,"id":4,"room":"r"}
bob skip {"type":"ok","id":4}
end
bob > {"type":"send","id":5,"room":"r","text":"x","nonce":"n"}
bob skip {"type":"ok","id":5,"ts":$ts,"duplicate":true}



=== TEST 6: how many rooms are listed
--- chat
ann connect /chat?user=ann
ann < {"type":"welcome"}
for n 1..12
ann > {"type":"join","id":$n,"room":"p$n"}
ann < {"type":"ok","id":$n}
end
for limit 1 2 10
ann > {"type":"rooms","id":1,"limit":$limit}
ann < {"type":"ok","id":1,"rooms":"%[$limit]"}
end
ann > {"type":"rooms","id":2,"prefix":"p1"}
ann < {"type":"ok","id":2,"rooms":"%[4]"}
ann > {"type":"rooms","id":3,"prefix":"p12"}
ann < {"type":"ok","id":3,"rooms":[{"room":"p12","members":1,"seq":0,"topic":""}]}
ann > {"type":"rooms","id":4,"prefix":"$('p' x 128)"}
ann < {"type":"ok","id":4,"rooms":[]}
for bad "$('p' x 129)" "a\u0000" "\n" null 1
ann > {"type":"rooms","id":5,"prefix":$bad}
ann < {"type":"error","id":5,"code":"bad_request","field":"prefix"}
end



=== TEST 7: what a profile may be, for everybody who sees it
--- chat
ann connect /chat?user=ann
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"r"}
$who < {"type":"ok","id":1}
end
for name "$('\u00e9' x 32)" "$('\ud83d\ude00' x 16)" "$('n' x 64)" "\"\\" "\u0020" "@ann"
bob > {"type":"profile","id":2,"name":$name}
bob skip {"type":"ok","id":2,"name":$name}
ann < {"type":"profile","room":"r","user":"bob","name":$name}
ann > {"type":"members","id":3,"room":"r"}
ann < {"type":"ok","id":3,"members":2}
ok grep { $_->{user} eq 'bob' && $_->{name} eq Test::Nginx::Chat::Match::decode($name) } \
    @{Test::Nginx::Chat::Match::decode($main::Script->client("ann")->{last}{payload})->{presence}}
bob > {"type":"send","id":4,"room":"r","text":"x"}
bob skip {"type":"ok","id":4}
ann < {"type":"message","user":"bob","name":$name}
end
for bad "$('\u00e9' x 32)n" "$('n' x 65)" "\u0085" "a\u0000" "\t"
bob > {"type":"profile","id":5,"name":$bad}
bob skip {"type":"error","id":5,"code":"bad_request","field":"name"}
end
for color "#000000" "#ffffff" "#ABCDEF"
bob > {"type":"profile","id":6,"color":$color}
bob skip {"type":"ok","id":6,"name":"@ann"}
end
ann < {"type":"profile","color":"#000000"}
ann < {"type":"profile","color":"#ffffff"}
ann < {"type":"profile","color":"#abcdef","name":"@ann","user":"bob"}



=== TEST 8: a message of just the size, and one byte more
--- config
    location /chat {
        chat               chat;
        chat_user          $arg_user;
        chat_message_size  1000;
    }
--- chat
ann connect /chat?user=ann
ann < {"type":"welcome","limits":{"message_size":1000}}
ann > {"type":"join","id":1,"room":"r"}
ann < {"type":"ok","id":1}
set head = length '{"type":"send","id":2,"room":"r","text":""}'
ann > {"type":"send","id":2,"room":"r","text":"$('x' x (1000 - $head))"}
ann skip {"type":"ok","id":2,"seq":1}
ann > {"type":"send","id":3,"room":"r","text":"$('x' x (1001 - $head))"}
ann skip {"type":"error","id":3,"code":"too_large"}
ann > {"id":4,"type":"ping","x":"$('\u00e9' x 300)"}
ann < {"type":"error","id":4,"code":"too_large"}
