
# Tests for ten thousand connections that do nothing: what they cost, and that
# a message reaches them all.

use lib 't/lib';
use Test::Nginx::Chat;

use Socket qw( :DEFAULT IPPROTO_TCP );

worker_connections(12000);

default_http_config('chat_zone chat:32m;');

default_config(<<'_EOC_');
    location /raw {
        chat                chat;
        chat_protocol       raw;
        chat_room           $arg_room;
        chat_ping_interval  0;
    }

    location /chat {
        chat                chat;
        chat_user           $arg_user;
        chat_room           $arg_room;
        chat_ping_interval  0;
    }
_EOC_

my $Wanted = $ENV{TEST_CHAT_IDLE} || 10000;
my @Crowd;

# a descriptor each, here and in nginx
my $enough = `sh -c 'ulimit -Hn'` =~ /unlimited/
             || `sh -c 'ulimit -Hn'` >= $Wanted + 1000;

if (!$enough) {
    Test::More::plan(skip_all => "$Wanted connections need a higher limit of"
                                 . ' open files (ulimit -n)');
}

raise_limit();
play();


# perl has no setrlimit: the shell that runs the test again has it, and nginx
# inherits it

sub raise_limit {
    return if `sh -c 'ulimit -Sn'` =~ /unlimited/
              || `sh -c 'ulimit -Sn'` >= $Wanted + 1000;

    $ENV{TEST_CHAT_RAISED}++ and die "the limit stays where it is\n";
    exec 'sh', '-c', 'ulimit -Sn `ulimit -Hn` && exec "$@"', 'sh',
         $^X, (map { "-I$_" } @INC), $0;
}


sub crowd {
    my ($script, $path, $n) = @_;

    while (@Crowd < $n) {
        my $batch = $n - @Crowd < 200 ? $n - @Crowd : 200;
        my @new = map { begin($script, $path, @Crowd + $_) } 1 .. $batch;

        for my $sock (@new) {
            my $got = '';
            until ($got =~ /\r\n\r\n/) {
                vec(my $bits = '', fileno $sock, 1) = 1;
                select($bits, undef, undef, $script->{timeout})
                    or die 'no answer to number ' . @Crowd . "\n";
                sysread $sock, $got, 65536, length $got
                    or die 'closed is number ' . @Crowd . "\n";
            }
            die "$got\n" if $got !~ /^HTTP\/1.1 101/;
            push @Crowd, $sock;
        }
    }
}


# from several source addresses, as one has too few ports for large numbers

sub begin {
    my ($script, $path, $i) = @_;

    my $url = $path =~ s/\*/$i/r;

    socket my $sock, AF_INET, SOCK_STREAM, IPPROTO_TCP or die "socket: $!\n";
    bind $sock, pack_sockaddr_in(0, inet_aton('127.0.0.' . (2 + $i % 4)));
    connect $sock, pack_sockaddr_in($script->{port}, inet_aton('127.0.0.1'))
        or die "connect: $!\n";
    syswrite $sock, join "\r\n", "GET $url HTTP/1.1", 'Host: localhost',
        'Upgrade: websocket', 'Connection: Upgrade',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '', '';

    return $sock;
}


# every one of them gets these bytes, within the time of a step for all

sub all_get {
    my ($script, $text) = @_;

    my $deadline = Time::HiRes::time() + $script->{timeout};

    for my $sock (@Crowd) {
        my $got = '';
        until ($got =~ /\Q$text\E/) {
            my $left = $deadline - Time::HiRes::time();
            vec(my $bits = '', fileno $sock, 1) = 1;
            $left > 0 && select($bits, undef, undef, $left)
                or die "only a part of them got it\n";
            sysread $sock, $got, 65536, length $got or die "one is closed\n";
        }
    }
}


sub all_leave {
    my ($script) = @_;

    close $_ for @Crowd;
    @Crowd = ();
}


# nginx gives its connections' and events' arrays at the start: what is
# measured is what comes on top; a warm-up has touched what is used once

sub cost_at_most {
    my ($script, $before, $limit) = @_;

    my $kib = $script->{server}->grown($before);
    my $each = 1024 * $kib / @Crowd;

    return if $each == 0;

    Test::More::diag(sprintf '%d idle connections: %d KiB, %d bytes each',
                     scalar @Crowd, $kib, $each);
    die "$each bytes each\n" if $each > $limit;
}

__DATA__

=== TEST 1: raw
--- chat
timeout 60s
perl crowd /raw?room=* 200
perl all_leave
set before = $main::Server->memory
perl crowd /raw?room=all $(($ENV{TEST_CHAT_IDLE} || 10000))
perl cost_at_most $before 1024
a connect /raw?room=all
a text hello, everyone
a recv text hello, everyone
perl all_get hello,
a ping x
a recv pong x
perl all_leave
a text alone
a recv text alone



=== TEST 2: chat.v1
--- chat
timeout 60s
perl crowd /chat?user=u*&room=lobby 200
perl all_leave
set before = $main::Server->memory
perl crowd /chat?user=u*&room=lobby $(($ENV{TEST_CHAT_IDLE} || 10000))
perl cost_at_most $before 1024
a connect /chat?user=alice&room=lobby
a skip {"type":"joined"}
a > {"type":"send","room":"lobby","text":"hello"}
a < {"type":"message","text":"hello"}
perl all_get "text":"hello"
perl all_leave



=== TEST 3: all of them told at a reload
--- chat
timeout 60s
perl crowd /chat?user=u*&room=lobby 2000
nginx reload
perl all_get "type":"bye"
perl all_leave
nginx renewed
