
# Tests for ban and unban.

use lib 't/lib';
use Test::Nginx::Chat;

arguments_config();

play();


# fills the zone with rooms until it has none of that name any more

sub crowd_out {
    my ($script, $who, $room) = @_;

    for my $i (1 .. 5000) {
        command($script, $who, $i, qq("join","room":"r$i"));
        command($script, $who, $i, qq("send","room":"r$i","text":"$i"));
        command($script, $who, $i, qq("leave","room":"r$i"));

        next if $i % 20;

        my $answer = command($script, $who, $i,
                             qq("rooms","prefix":"$room"));
        return if !@{$answer->{rooms}};
    }

    die "$room is still there\n";
}


sub command {
    my ($script, $who, $id, $command) = @_;

    my $client = $script->client($who);

    $client->frame(op => 1, payload => qq({"type":$command,"id":$id}));

    for ( ;; ) {
        my $event = $script->get($client);
        my $answer = Test::Nginx::Chat::Match::decode($event->{payload});

        next if ($answer->{id} // 0) != $id;
        return $answer if $answer->{type} eq 'ok';
        die "$command: $event->{payload}\n";
    }
}

__DATA__

=== TEST 1: who is banned is out, stays out, and is told until when
--- chat
ann connect /chat?user=ann&role=moderator
bob connect /chat?user=bob other=ann
b2 connect /chat?user=bob same=ann
for who ann bob b2
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
ann > {"type":"ban","id":2,"room":"lobby","user":"bob","duration":3600000,"reason":"enough"}
ann skip {"type":"ok","id":2,"room":"lobby","user":"bob","until":"$until"}
for who bob b2
$who < {"type":"banned","room":"lobby","seq":1,"user":"bob","by":"ann", \
    "until":$until,"reason":"enough","ts":"%int"}
for what "send","text":"x" "typing" "history" "members" "read","seq":1
$who > {"type":$what,"id":3,"room":"lobby"}
$who < {"type":"error","id":3,"code":"%~^(banned|not_joined)$"}
end
for what "join" "edit","seq":1,"text":"x" "delete","seq":1
$who > {"type":$what,"id":4,"room":"lobby"}
$who < {"type":"error","id":4,"code":"banned","until":$until}
end
end

# also over a new connection, on either worker
bob drop
b2 drop
for where same other
bob connect /chat?user=bob $where=ann
bob < {"type":"welcome"}
bob > {"type":"join","id":5,"room":"lobby"}
bob < {"type":"error","id":5,"code":"banned","until":$until}
bob > {"type":"join","id":6,"room":"other"}
bob < {"type":"ok","id":6}
bob drop
end

ann > {"type":"unban","id":7,"room":"lobby","user":"bob"}
ann skip {"type":"ok","id":7,"until":null}
bob connect /chat?user=bob other=ann
bob < {"type":"welcome"}
bob > {"type":"join","id":8,"room":"lobby"}
bob < {"type":"ok","id":8,"messages":[{"type":"banned"}, \
    {"type":"unbanned","user":"bob","by":"ann","until":null}]}



=== TEST 2: a ban ends by itself
--- chat
ann connect /chat?user=ann&role=moderator
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
ann > {"type":"ban","id":2,"room":"lobby","user":"bob","duration":600}
ann skip {"type":"ok","id":2,"until":"$until"}
bob < {"type":"banned","until":$until}
bob > {"type":"join","id":3,"room":"lobby"}
bob < {"type":"error","id":3,"code":"banned","until":$until}
bob nothing 700ms
bob > {"type":"join","id":4,"room":"lobby"}
bob < {"type":"ok","id":4}



=== TEST 3: who is away is banned by name
--- chat
ann connect /chat?user=ann&role=moderator
ann < {"type":"welcome"}
ann > {"type":"join","id":1,"room":"lobby"}
ann < {"type":"ok","id":1}
for user bob never
ann > {"type":"ban","id":2,"room":"lobby","user":"$user"}
ann skip {"type":"ok","id":2,"until":null}
who connect /chat?user=$user other=ann
who < {"type":"welcome"}
who > {"type":"join","id":3,"room":"lobby"}
who < {"type":"error","id":3,"code":"banned","until":null}
who drop
end



=== TEST 4: a room with a ban is kept though memory is short
--- http_config
    chat_zone         chat:512k;
    chat_leave_delay  0;
--- chat
ann connect /chat?user=ann&role=moderator
bob connect /chat?user=bob other=ann
bob < {"type":"welcome"}
ann < {"type":"welcome"}
for room lobby empty
ann > {"type":"join","id":1,"room":"$room"}
ann < {"type":"ok","id":1}
end
ann > {"type":"ban","id":2,"room":"lobby","user":"bob"}
ann skip {"type":"ok","id":2}
for room lobby empty
ann > {"type":"leave","id":3,"room":"$room"}
ann skip {"type":"ok","id":3}
end

# a room with nothing to know goes
perl crowd_out ann empty
ann > {"type":"rooms","id":4,"prefix":"lobby"}
ann < {"type":"ok","id":4,"rooms":[{"room":"lobby","members":0}]}
bob > {"type":"join","id":5,"room":"lobby"}
bob < {"type":"error","id":5,"code":"banned"}
