package Test::Nginx::Chat::Backend;

# A backend that is asked, and answers when a conversation says so; it stays
# over the blocks of a file, on TEST_NGINX_BACKEND_PORT.  What a conversation
# calls is in main.

use v5.10.1;
use strict;
use warnings;

use IO::Select ();
use IO::Socket::INET ();

my $Slowness = $ENV{TEST_NGINX_USE_VALGRIND} ? 10
               : $ENV{TEST_NGINX_SLOWNESS} || 1;

my $Socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1024,
                                   ReuseAddr => 1)
    or die "no backend: $!\n";

$ENV{TEST_NGINX_BACKEND_PORT} = $Socket->sockport;

my @Asked;


# waits until n requests are unanswered; the oldest is the first

sub main::asked {
    my ($n) = @_;

    my $select = IO::Select->new($Socket);

    while (@Asked < $n) {
        $select->can_read(5 * $Slowness) or return 0;

        my $c = $Socket->accept or return 0;
        my $request = '';

        while ($request !~ /\r\n\r\n/) {
            sysread($c, $request, 4096, length $request) or last;
        }

        push @Asked, { socket => $c, request => $request };
    }

    return @Asked == $n;
}


# the oldest one's request

sub main::sent {
    return $Asked[0]{request};
}


sub main::answer {
    my ($status, @headers) = @_;

    main::part("HTTP/1.0 $status Said\r\n"
               . join('', map { "$_\r\n" } @headers)
               . "Content-Length: 0\r\n\r\n")
        and close((shift @Asked)->{socket});
}


# so much of an answer to the oldest one, and it stays open

sub main::part {
    my ($text) = @_;

    local $SIG{PIPE} = 'IGNORE';

    return @Asked && defined $Asked[0]{socket}->syswrite($text);
}


sub main::break_off {
    return close((shift @Asked)->{socket});
}


# the oldest one's connection is ended by who has asked, whatever is written
# to it meanwhile; how many bytes that were, and one, or nothing

sub main::let_go {
    my ($text) = @_;

    my $asked = shift @Asked;
    my $select = IO::Select->new($asked->{socket});
    my $end = time + 5 * $Slowness;
    my $written = 0;

    local $SIG{PIPE} = 'IGNORE';
    $asked->{socket}->blocking(0);

    while (time < $end) {
        if ($select->can_read($text ? 0 : 0.2)
            && !sysread($asked->{socket}, my $buf, 4096))
        {
            return 1 + $written;
        }

        $written += syswrite($asked->{socket}, $text) // 0 if $text;
    }

    return 0;
}


# nobody of those who have asked gets an answer

sub main::hang_up {
    my $select = IO::Select->new($Socket);

    @Asked = ();
    close($Socket->accept) while $select->can_read(0.1);

    return 1;
}


sub main::quiet {
    return !IO::Select->new($Socket)->can_read(0.3);
}


1;
