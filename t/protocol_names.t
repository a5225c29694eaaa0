
# Tests for names at the edges of what is allowed: every command takes them,
# and every event has them as they were given.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config('chat_zone chat:4m; chat_rate off;');

default_config(<<'_EOC_');
    location /chat {
        chat              chat;
        chat_user         $http_x_user;
        chat_user_role    $arg_role;
        chat_presence     full;
        chat_leave_delay  0;
    }
_EOC_

our %Rooms = (
    longest => 'x' x 128,
    utf8    => "\x{c3a}" x 42 . 'xy',
    one     => "\x{1f600}",
    quotes  => q({"room":"a\\b'c"}),
    percent => '/%s%n%00%2f/../..//%',
    spaces  => '  ',
    markup  => '<script>&amp;</script>',
    inner   => 'a@b',
    joiner  => "e\x{301}\x{200d}\x{202e}\x{feff}",
);

our %Users = (
    longest => 'u' x 64,
    utf8    => "\x{1f600}" x 16,
    quotes  => q(<"a\\b","user":"c">),
    percent => '/%s%41@/?#',
    room    => '@@',
);

play();


# as JSON, in ASCII

sub room { quoted($Rooms{$_[0]}) }


sub user { quoted($Users{$_[0]}) }


sub inbox { quoted("\@$Users{$_[0]}") }


sub quoted {
    my ($name) = @_;

    return '"' . join('', map {
        $_ > 0xffff ? sprintf('\u%04x\u%04x', 0xd800 + ($_ - 0x10000 >> 10),
                              0xdc00 + ($_ - 0x10000 & 0x3ff))
                    : sprintf('\u%04x', $_) } map { ord } split //, $name)
           . '"';
}


# as a header, in bytes

sub header {
    my $name = $Users{$_[0]};

    utf8::encode($name);

    return $name;
}

__DATA__

=== TEST 1: rooms, in all commands and events
--- chat
for name longest utf8 one quotes percent spaces markup inner joiner
set room = main::room($v{name})
ann connect /chat?role=owner | X-User: ann
bob connect /chat other=ann | X-User: bob
ann < {"type":"welcome"}
bob < {"type":"welcome"}
ann > {"type":"join","id":1,"room":$room,"presence":true}
ann < {"type":"ok","id":1,"room":$room,"epoch":"%string","seq":0,"members":1}
set epoch = Test::Nginx::Chat::Match::decode($main::Script->client("ann")->{last}{payload})->{epoch}
bob > {"type":"join","id":1,"room":$room,"epoch":"$epoch","seq":0}
bob < {"type":"ok","id":1,"room":$room,"recovered":true,"members":2}
ann < {"type":"joined","room":$room,"user":"bob","members":2}
bob > {"type":"send","id":2,"room":$room,"text":"one"}
bob skip {"type":"ok","id":2,"room":$room,"seq":1}
ann < {"type":"message","room":$room,"seq":1,"text":"one"}
bob > {"type":"edit","id":3,"room":$room,"seq":1,"text":"two"}
bob skip {"type":"ok","id":3,"room":$room,"seq":1}
ann < {"type":"edited","room":$room,"seq":2,"target":1}
bob > {"type":"react","id":4,"room":$room,"seq":1,"emoji":"+"}
bob skip {"type":"ok","id":4,"room":$room,"seq":1}
ann < {"type":"reacted","room":$room,"target":1}
bob > {"type":"typing","id":5,"room":$room}
bob skip {"type":"ok","id":5}
ann < {"type":"typing","room":$room,"user":"bob","on":true}
bob > {"type":"typing","room":$room,"on":false}
ann < {"type":"typing","room":$room,"user":"bob","on":false}
ann > {"type":"read","id":6,"room":$room,"seq":2}
ann skip {"type":"ok","id":6,"room":$room,"seq":2}
bob skip {"type":"read","room":$room,"user":"ann","seq":2}
bob > {"type":"delete","id":7,"room":$room,"seq":1}
bob skip {"type":"ok","id":7,"room":$room,"seq":1}
ann skip {"type":"deleted","room":$room,"seq":3,"target":1}
bob > {"type":"history","id":8,"room":$room}
bob skip {"type":"ok","id":8,"room":$room,"messages":[{"room":$room,"seq":1}, \
    {"room":$room,"seq":2},{"room":$room,"seq":3}],"more":false}
bob > {"type":"members","id":9,"room":$room}
bob < {"type":"ok","id":9,"room":$room,"members":2}
bob > {"type":"rooms","id":10,"prefix":$room}
bob < {"type":"ok","id":10,"rooms":[{"room":$room,"members":2,"seq":3}]}
ann > {"type":"set","id":11,"room":$room,"topic":$room}
ann skip {"type":"ok","id":11,"room":$room,"topic":$room}
bob < {"type":"room","room":$room,"seq":4,"topic":$room}
ann > {"type":"mute","id":12,"room":$room,"user":"bob"}
ann skip {"type":"ok","id":12,"room":$room,"user":"bob"}
bob < {"type":"muted","room":$room,"seq":5}
ann > {"type":"unmute","id":13,"room":$room,"user":"bob"}
ann skip {"type":"ok","id":13,"room":$room}
bob < {"type":"unmuted","room":$room,"seq":6}
ann > {"type":"grant","id":14,"room":$room,"user":"bob","role":"moderator"}
ann skip {"type":"ok","id":14,"room":$room}
bob < {"type":"granted","room":$room,"user":"bob"}
ann > {"type":"kick","id":15,"room":$room,"user":"bob"}
ann skip {"type":"ok","id":15,"room":$room}
bob < {"type":"kicked","room":$room,"seq":7}
ann > {"type":"ban","id":16,"room":$room,"user":"bob"}
ann skip {"type":"ok","id":16,"room":$room}
bob > {"type":"join","id":17,"room":$room}
bob < {"type":"error","id":17,"code":"banned"}
ann > {"type":"unban","id":18,"room":$room,"user":"bob"}
ann skip {"type":"ok","id":18,"room":$room}
bob > {"type":"join","id":19,"room":$room,"epoch":"$epoch","seq":7}
bob < {"type":"ok","id":19,"room":$room,"recovered":true,"messages":[ \
    {"type":"banned","room":$room},{"type":"unbanned","room":$room}]}
bob > {"type":"profile","id":20,"name":"b-$name"}
bob skip {"type":"ok","id":20}
ann skip {"type":"profile","room":$room,"user":"bob","name":"b-$name"}
bob > {"type":"leave","id":21,"room":$room}
bob skip {"type":"ok","id":21,"room":$room}
ann < {"type":"left","room":$room,"user":"bob","members":1}
ann drop
bob drop
end



=== TEST 2: what differs in a byte is another room
--- chat
ann connect /chat | X-User: ann
ann < {"type":"welcome"}
for room "a" "A" "a\u0020" "\u0020a" "a\u0301" "\u00e1" "a\u200d"
ann > {"type":"join","id":1,"room":$room}
ann < {"type":"ok","id":1,"room":$room,"seq":0,"members":1}
ann > {"type":"send","room":$room,"text":"x"}
ann < {"type":"message","room":$room,"seq":1}
end
ann > {"type":"join","id":3,"room":"\u0061"}
ann skip {"type":"ok","id":3,"room":"a","seq":1}



=== TEST 3: users, in all commands and events that name one
--- chat
for name longest utf8 quotes percent room
set user = main::user($v{name})
set inbox = main::inbox($v{name})
ann connect /chat?role=owner | X-User: ann
bob connect /chat other=ann | X-User: $(main::header($v{name}))
ann < {"type":"welcome"}
bob < {"type":"welcome","user":$user,"name":$user}
for who ann bob
$who > {"type":"join","id":1,"room":"$name"}
$who < {"type":"ok","id":1}
end
ann < {"type":"joined","room":"$name","user":$user,"name":$user,"members":2}
ann > {"type":"send","id":2,"to":$user,"text":"x"}
ann skip {"type":"ok","id":2,"room":"@ann"}
bob < {"type":"message","room":$inbox,"seq":1,"user":"ann","to":$user}
bob > {"type":"join","id":3,"room":$inbox}
bob < {"type":"ok","id":3,"room":$inbox,"messages":[{"room":$inbox,"to":$user}]}
bob > {"type":"typing","to":"ann"}
ann skip {"type":"typing","to":"ann","user":$user,"on":true}
bob > {"type":"typing","to":"ann","on":false}
ann < {"type":"typing","to":"ann","user":$user,"on":false}
bob > {"type":"send","id":4,"room":"$name","text":"x"}
bob skip {"type":"ok","id":4,"seq":1}
ann skip {"type":"message","room":"$name","user":$user,"name":$user}
ann > {"type":"members","id":5,"room":"$name"}
ann skip {"type":"ok","id":5,"presence":"%[2]"}
ok grep { $_->{user} eq $main::Users{"$name"} && $_->{name} eq $_->{user} } \
    @{Test::Nginx::Chat::Match::decode($main::Script->client("ann")->{last}{payload})->{presence}}
for what mute unmute ban unban
ann > {"type":"$what","id":6,"room":"$name","user":$user,"reason":$user}
ann skip {"type":"ok","id":6,"user":$user}
end
ann > {"type":"grant","id":7,"room":"$name","user":$user,"role":"member"}
ann skip {"type":"ok","id":7,"user":$user}
bob skip {"type":"muted","user":$user,"by":"ann","reason":$user}
bob < {"type":"unmuted","user":$user,"by":"ann","reason":$user}
bob < {"type":"banned","user":$user,"by":"ann","reason":$user}
bob > {"type":"join","id":8,"room":"$name"}
bob < {"type":"ok","id":8,"members":2}
ann skip {"type":"joined","user":$user,"members":2}
ann > {"type":"kick","id":9,"room":"$name","user":$user,"purge":true}
ann skip {"type":"ok","id":9,"user":$user,"purged":1}
bob skip {"type":"kicked","user":$user}
ann drop
bob drop
end
