
# Tests for what each command is answered with: one reply for an "id" in
# whatever form it has, none without, and an error without one.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config('chat_zone chat:4m; chat_rate off;');

default_config(<<'_EOC_');
    location /chat {
        chat            chat;
        chat_user       $arg_user;
        chat_user_role  $arg_role;
        chat_presence   off;
    }
_EOC_

# in an order in which each of them is possible

our @Commands = (
    '"join","room":"r"',
    '"send","room":"r","text":"x"',
    '"edit","room":"r","seq":1,"text":"y"',
    '"react","room":"r","seq":1,"emoji":"+"',
    '"typing","room":"r"',
    '"read","room":"r","seq":1',
    '"history","room":"r"',
    '"members","room":"r"',
    '"rooms"',
    '"profile","name":"n","color":"#010203"',
    '"set","room":"r","topic":"x"',
    '"mute","room":"r","user":"bob"',
    '"unmute","room":"r","user":"bob"',
    '"grant","room":"r","user":"bob","role":"owner"',
    '"kick","room":"r","user":"bob"',
    '"ban","room":"r","user":"bob"',
    '"unban","room":"r","user":"bob"',
    '"send","to":"ann","text":"x"',
    '"typing","to":"ann"',
    '"delete","room":"r","seq":1',
    '"leave","room":"r"',
    '"ping"',
);

# each is refused, in a room that nobody has joined

our @Refused = (
    '"join","room":"@bob"', '"join"',
    map({ qq("$_","room":"nowhere","seq":1,"text":"x","emoji":"+","user":"u",)
          . '"role":"member","topic":"x"' }
        qw( leave send edit delete react typing read history members kick mute
            unmute ban unban grant set )),
    '"rooms","limit":0', '"profile","name":""', '"auth"', '"nonsense"',
    '"send","to":"nobody","text":"x"', '"typing","to":"nobody"',
);

play();


# The replies to COMMANDS, where each is sent with ID, and to a ping behind
# them: as many as REPLIES, of TYPE, each with the id as it was written.

sub answered {
    my ($script, $who, $id, $type, @commands) = @_;

    my $client = $script->client($who);
    my $with = defined $id ? qq("id":$id,) : '';

    for my $command (@commands) {
        $client->frame(op => 1, payload => "{$with\"type\":$command}");
        $client->frame(op => 1, payload => '{"id":"end","type":"ping"}');

        my @replies = replies($script, $client);
        my $expect = defined $id || $type eq 'error' ? 1 : 0;

        die "$command: " . @replies . " replies\n" if @replies != $expect;

        for my $reply (@replies) {
            die "$command: $reply\n"
                if $reply !~ /"type":"$type"/
                   || (defined $id ? $reply !~ /"id":\Q$id\E[,}]/
                                   : $reply =~ /"id":/);
        }
    }
}


sub replies {
    my ($script, $client) = @_;
    my @replies;

    for ( ;; ) {
        my $text = $script->get($client)->{payload};

        return @replies if $text =~ /"id":"end"/;

        push @replies, $text if $text =~ /"type":"(?:ok|error)"/;
    }
}


sub all_ok {
    my ($script, $who, $room, $id) = @_;

    answered($script, $who, $id, 'ok',
             map { s/"r"/"$room"/r } @main::Commands);
}


sub all_refused {
    my ($script, $who, $id) = @_;

    answered($script, $who, $id, 'error', @main::Refused);
}

__DATA__

=== TEST 1: each command, with an id of each form, and without
--- chat
ann connect /chat?user=ann&role=owner
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
end
set n = 0
for id 0 -1 1.50 1e+3 -0.0 12345678901234567890 "" "a\"b\\\u0041" "\ud83d\ude00" "%s" "$('x' x 64)"
set n = $n + 1
bob > {"type":"join","id":$id,"room":"r$n"}
bob skip {"type":"ok","id":"%any","room":"r$n"}
perl all_ok ann r$n $id
end
bob > {"type":"join","id":1,"room":"r"}
bob skip {"type":"ok","id":1}
perl all_ok ann r



=== TEST 2: each error has the id, and comes also where there is none
--- chat
ann connect /chat?user=ann&role=owner
ann < {"type":"welcome"}
for id 0 -1 1.50 "" "a\"b\\\u0041" "\ud83d\ude00" "$('x' x 64)"
perl all_refused ann $id
end
perl all_refused ann
