
# Tests for presence in large rooms: users are counted and not named.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config('chat_zone chat:8m; chat_rate off;');

default_config(<<'_EOC_');
    location /chat {
        chat              chat;
        chat_presence     count;
        chat_user         $arg_user;
        chat_leave_delay  0;
    }

    location /limit {
        chat                 chat;
        chat_presence        full;
        chat_presence_limit  3;
        chat_user            $arg_user;
        chat_leave_delay     0;
    }

    location /room {
        chat           chat;
        chat_presence  count;
        chat_user      $arg_user;
        chat_room      r;
    }
_EOC_

play();

our $Events;


# reads until the number of members has been told; how many events was that?

sub counted {
    my ($script, $who, $members) = @_;

    my $client = $script->client($who);

    for ($Events = 1; ; $Events++) {
        my $event = $script->get($client);
        my $o = Test::Nginx::Chat::Match::decode($event->{payload});

        die "$event->{payload}\n"
            if $o->{type} ne 'members' || $o->{room} ne 'r'
               || exists $o->{user} || exists $o->{seq}
               || $o->{ts} !~ /^\d{13}$/;

        return if $o->{members} == $members;
    }
}


sub few {
    my ($script, $most) = @_;

    die "$Events events\n" if $Events > $most;
}

__DATA__

=== TEST 1: a number, and no names
--- chat
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"r"}
a < {"type":"ok","id":1,"members":1}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"r"}
b skip {"type":"ok","id":1,"members":2}
within 3s
perl counted a 2
end
b reset
within 3s
perl counted a 1
end
a nothing 1200ms



=== TEST 2: three hundred come within moments
--- chat
timeout 20s
a connect /room?user=alice
a < {"type":"welcome"}
a < {"type":"joined","user":"alice"}
set start = Time::HiRes::time
for n 2..300
m$n connect /room?user=m$n
m$n skip {"type":"joined","user":"m$n","members":$n}
end
within 3s
perl counted a 300
end
set most = int(Time::HiRes::time - $start) + 3
perl few $most
for n 2..300
m$n reset
end
perl counted a 1
perl few 6
a nothing 1200ms



=== TEST 3: above the limit there are no names
--- chat
a connect /limit?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"r"}
a < {"type":"ok","id":1}
for n 2..3
m$n connect /limit?user=m$n other=a
m$n < {"type":"welcome"}
m$n > {"type":"join","id":1,"room":"r"}
m$n < {"type":"ok","id":1,"members":$n}
a < {"type":"joined","user":"m$n","members":$n}
end
m4 connect /limit?user=m4 other=a
m4 < {"type":"welcome"}
m4 > {"type":"join","id":1,"room":"r"}
m4 skip {"type":"ok","id":1,"members":4}
within 3s
perl counted a 4
end
m5 connect /limit?user=m5 same=a
m5 < {"type":"welcome"}
m5 > {"type":"join","id":1,"room":"r"}
m5 skip {"type":"ok","id":1,"members":5}
within 3s
perl counted a 5
end



=== TEST 4: the last count comes, whoever was the last
Both workers have something to count, and nobody is left with an old number.
--- chat
timeout 20s
a connect /room?user=alice
b connect /room?user=bob other=a
for who a b
$who skip {"type":"joined"}
end
for round 1..3
for n 1..5
c$n connect /room?user=c$n other=a
d$n connect /room?user=d$n same=a
c$n skip {"type":"joined"}
d$n skip {"type":"joined"}
end
within 3s
a skip {"type":"members","members":12}
b skip {"type":"members","members":12}
end
for n 1..5
c$n > {"type":"leave","id":"l","room":"r"}
c$n skip {"type":"ok","id":"l"}
d$n > {"type":"leave","id":"l","room":"r"}
d$n skip {"type":"ok","id":"l"}
end
within 8s
a skip {"type":"members","members":2}
b skip {"type":"members","members":2}
end
for n 1..5
c$n drop
d$n drop
end
end
