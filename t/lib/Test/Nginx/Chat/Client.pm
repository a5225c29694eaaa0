package Test::Nginx::Chat::Client;

# One WebSocket client of a conversation: a socket that never blocks, bytes
# that wait to go out, and the queue of what came in, one element a message
# or control frame, in order.  All clients are served by one loop.

use v5.10.1;
use strict;
use warnings;

use Compress::Raw::Zlib;
use Digest::SHA qw( sha1_base64 );
use Errno qw( EAGAIN EINTR EINPROGRESS EWOULDBLOCK );
use IO::Select ();
use IO::Socket::INET ();
use MIME::Base64 qw( encode_base64 );
use Socket qw( IPPROTO_TCP TCP_NODELAY SOL_SOCKET SO_RCVBUF SO_LINGER
               inet_aton pack_sockaddr_in SOCK_STREAM AF_INET );
use Time::HiRes qw( time );

use Test::Nginx::Chat::Frame;

use constant GUID => '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

my %Open;


# Options: port, from (source address), tls, rcvbuf.

sub new {
    my ($class, $name, %opt) = @_;

    my $self = bless {
        name => $name, in => '', out => '', queue => [], headers => {},
        state => 'handshake', method => 'GET', autopong => 1, autoclose => 1,
        seen => [], %opt,
    }, $class;

    socket my $sock, AF_INET, SOCK_STREAM, IPPROTO_TCP
        or die "socket: $!\n";
    $sock = IO::Handle->new_from_fd($sock, '+<');
    $sock->blocking(0);
    $sock->autoflush(1);

    setsockopt $sock, IPPROTO_TCP, TCP_NODELAY, 1;
    setsockopt $sock, SOL_SOCKET, SO_RCVBUF, pack 'i', $opt{rcvbuf}
        if $opt{rcvbuf};
    bind $sock, pack_sockaddr_in(0, inet_aton($opt{from})) if $opt{from};

    if (!connect $sock, pack_sockaddr_in($opt{port}, inet_aton('127.0.0.1'))) {
        die "connect to port $opt{port}: $!\n" if $! != EINPROGRESS;
    }

    $self->{sock} = $sock;
    $self->start_tls if $opt{tls};
    $Open{$self} = $self;

    return $self;
}


# The TLS handshake alone may block, for five seconds where nothing is checked.

sub start_tls {
    my ($self) = @_;

    require IO::Socket::SSL;

    my $sock = $self->{sock};
    my $patience = 5 * ($ENV{TEST_NGINX_SLOWNESS} || 1);
    IO::Select->new($sock)->can_write($patience) or die "no connection\n";
    bless $sock, 'IO::Socket::INET';

    IO::Socket::SSL->start_SSL($sock,
                               SSL_verify_mode => 0,
                               SSL_startHandshake => 0)
        or die "TLS: $IO::Socket::SSL::SSL_ERROR\n";

    $sock->blocking(1);
    $sock->timeout($patience);
    $sock->connect_SSL(Timeout => $patience)
        or die "TLS: $IO::Socket::SSL::SSL_ERROR\n";
    $sock->blocking(0);
}


# The request of an opening handshake.  Each change is a header line: in
# place of the default one, "-Name" without it, "+Name: value" besides it.

sub handshake {
    my ($self, %r) = @_;

    $self->{key} = encode_base64(join('', map { chr rand 256 } 1 .. 16), '');

    my @headers = (
        [ 'Host', "localhost:$self->{port}" ],
        [ 'Connection', 'Upgrade' ],
        [ 'Upgrade', 'websocket' ],
        [ 'Sec-WebSocket-Version', '13' ],
        [ 'Sec-WebSocket-Key', $self->{key} ],
    );

    push @headers, [ 'Sec-WebSocket-Extensions', $r{deflate} ] if $r{deflate};

    for my $change (@{ $r{headers} || [] }) {
        my ($sign, $name, $value) =
            $change =~ /^([-+]?)([^:]+?)(?::\s?(.*))?$/s;

        @headers = grep { lc $_->[0] ne lc $name } @headers if $sign ne '+';
        push @headers, [ $name, $value // '' ] if $sign ne '-';
    }

    my ($key) = map { $_->[1] } grep { lc $_->[0] eq 'sec-websocket-key' }
                                @headers;
    $self->{key} = $key // '';
    $self->{method} = $r{method} || 'GET';

    return join "\r\n", "$self->{method} $r{url} " . ($r{http} || 'HTTP/1.1'),
                        (map { "$_->[0]: $_->[1]" } @headers), '', '';
}


sub send {
    my ($self, $bytes) = @_;

    if ($self->{cork}) {
        $self->{corked} .= $bytes;
        return;
    }

    if ($self->{pieces}) {
        return $self->send_pieces($bytes);
    }

    $self->{out} .= $bytes;
    $self->flush;
}


# Pieces as segments of their own: each leaves before the next is written,
# with a little time between for the server to see it alone.

sub send_pieces {
    my ($self, $bytes) = @_;

    my @pieces = $self->{pieces}->($bytes);

    while (@pieces) {
        $self->{out} .= shift @pieces;
        $self->flush;
        last if $self->{gone};
        __PACKAGE__->turn(0) if !@pieces;
        select undef, undef, undef, 0.002 if @pieces;
    }
}


sub flush {
    my ($self) = @_;

    $self->{gone} = 'closed' if !$self->{sock};

    while (length $self->{out} && !$self->{gone}) {
        local $SIG{PIPE} = 'IGNORE';
        my $n = syswrite $self->{sock}, $self->{out}, 65536;

        if (defined $n) {
            substr $self->{out}, 0, $n, '';
            next;
        }

        return if $! == EAGAIN || $! == EWOULDBLOCK || $! == EINTR;

        # the server may be done with us before it has read everything
        $self->{out} = '';
        $self->{gone} = "$!";
    }
}


sub frame {
    my ($self, %f) = @_;

    $self->send(Test::Nginx::Chat::Frame::build(%f));
}


# One turn of the loop for all clients.

sub turn {
    my ($class, $wait) = @_;

    my @all = values %Open;
    my $pending = grep { $_->reads && $_->{tls} && $_->{sock}->pending } @all;

    my $r = IO::Select->new(map { $_->{sock} } grep { $_->reads } @all);
    my $w = IO::Select->new(map { $_->{sock} }
                            grep { length $_->{out} && !$_->{gone} } @all);

    $wait = 0 if $pending;

    if (!$r->count && !$w->count) {
        select undef, undef, undef, $wait;
        return;
    }

    IO::Select::select($r, $w, undef, $wait);

    for my $self (@all) {
        $self->flush if length $self->{out};
        $self->read_some if $self->reads;
    }
}


# Turns until the condition holds: true, or until the time is up: false.

sub until {
    my ($class, $timeout, $condition) = @_;

    my $deadline = time + $timeout;

    for ( ;; ) {
        return 1 if $condition->();

        my $left = $deadline - time;
        return 0 if $left <= 0;

        $class->turn($left < 0.05 ? $left : 0.05);
    }
}


sub reads { !$_[0]{paused} && !$_[0]{eof} }


sub read_some {
    my ($self) = @_;

    for (1 .. 16) {
        my $n = sysread $self->{sock}, my $bytes, 65536;

        if (!defined $n) {
            return if $! == EAGAIN || $! == EWOULDBLOCK || $! == EINTR;
            $self->{error} = "$!";
            $n = 0;
        }

        if ($n == 0) {
            $self->{eof} = 1;
            $self->finish_answer if $self->{state} ne 'open';
            push @{ $self->{queue} }, { kind => 'eof' };
            $self->drop if $self->{autoclose};
            return;
        }

        $self->{in} .= $bytes;
        $self->parse;
    }
}


sub parse {
    my ($self) = @_;

    $self->parse_answer if $self->{state} eq 'handshake';
    return if $self->{state} ne 'open';

    while (my $frame = eval { Test::Nginx::Chat::Frame::parse(\$self->{in}) }) {
        my $ok = eval { $self->take($frame); 1 };
        return $self->fail($@) if !$ok;
    }

    $self->fail($@) if $@;
}


sub fail {
    my ($self, $error) = @_;

    chomp $error;
    $self->{in} = '';
    push @{ $self->{queue} }, { kind => 'broken', payload => $error };
}


sub parse_answer {
    my ($self) = @_;

    $self->{in} =~ s/^(HTTP\/1\.\d (\d\d\d).*?)\r\n\r\n//s or return;

    my ($head, $status) = ($1, $2);
    my @lines = split /\r\n/, $head;
    shift @lines;

    for (@lines) {
        my ($name, $value) = /^([^:]+):\s*(.*?)\s*$/ or next;
        push @{ $self->{headers}{lc $name} }, $value;
    }

    $self->{status} = $status;
    $self->{worker} = ($self->{headers}{'x-worker'} || [])->[0];
    $self->{state} = $status == 101 ? 'open' : 'answer';
    $self->start_deflate if $status == 101;
    $self->finish_answer;
}


sub finish_answer {
    my ($self) = @_;

    return if $self->{state} ne 'answer';

    my $len = $self->{method} eq 'HEAD' ? 0
              : ($self->{headers}{'content-length'} || [])->[0];
    return if !$self->{eof} && defined $len && length $self->{in} < $len;
    $self->{body} = $self->{in};
}


sub answered {
    my ($self) = @_;

    return $self->{state} ne 'handshake' || $self->{eof} || $self->{gone};
}


sub accepted {
    my ($self) = @_;

    my $want = sha1_base64($self->{key} . GUID) . '=';
    my ($accept, $upgrade, $connection) =
        map { join ',', @{ $self->{headers}{$_} || [] } }
            qw( sec-websocket-accept upgrade connection );

    return $accept eq $want && lc $upgrade eq 'websocket'
           && lc $connection eq 'upgrade';
}


# What the server answered to an offer of permessage-deflate.

sub start_deflate {
    my ($self) = @_;

    my $answers = $self->{headers}{'sec-websocket-extensions'} or return;
    my $answer = $answers->[0];
    my ($name, @params) = split /\s*;\s*/, $answer;
    my %p = map { my ($k, $v) = split /=/; ($k, $v // 1) } @params;

    die "extension $name\n" if $name ne 'permessage-deflate';

    $self->{deflate_on} = \%p;
    $self->{inflater} = inflater($p{server_max_window_bits});
    $self->{deflater} = deflater($p{client_max_window_bits});
}


sub inflater {
    my ($bits) = @_;

    $bits = 15 if !$bits || $bits !~ /^\d+$/;
    my ($z, $rc) = Compress::Raw::Zlib::Inflate->new(-WindowBits => -$bits,
                                                     -AppendOutput => 1,
                                                     -ConsumeInput => 1);
    die "inflate: $rc\n" if !$z;
    return $z;
}


sub deflater {
    my ($bits) = @_;

    $bits = 15 if !$bits || $bits !~ /^\d+$/ || $bits < 9;
    my ($z, $rc) = Compress::Raw::Zlib::Deflate->new(-WindowBits => -$bits,
                                                     -AppendOutput => 1);
    die "deflate: $rc\n" if !$z;
    return $z;
}


# A message's payload, compressed as the negotiated parameters want it.

sub compress {
    my ($self, $payload) = @_;

    my $z = $self->{deflater} || deflater();
    my $out = '';

    $z->deflate($payload, $out);
    $z->flush($out, Z_SYNC_FLUSH);
    $z->deflateReset if $self->{deflate_on}{client_no_context_takeover};

    $out =~ s/\x00\x00\xff\xff\z// or die "no sync marker\n";

    return length $out ? $out : "\x00";
}


sub uncompress {
    my ($self, $payload) = @_;

    my $z = $self->{inflater} or die "RSV1 without permessage-deflate\n";
    my $out = '';
    my $in = $payload . "\x00\x00\xff\xff";
    my $rc = $z->inflate($in, $out);

    die "inflate: $rc\n" if $rc != Z_OK && $rc != Z_BUF_ERROR;
    $z->inflateReset if $self->{deflate_on}{server_no_context_takeover};

    return $out;
}


sub take {
    my ($self, $f) = @_;

    my $kind = $Test::Nginx::Chat::Frame::KIND{$f->{op}};

    die "a frame after the close frame\n" if $self->{closed};
    die "RSV bits $f->{rsv}\n" if $f->{rsv} & 3 || $f->{rsv} && $f->{op} > 2;

    if ($f->{op} > 7) {
        return $self->take_control($kind, $f->{payload});
    }

    if ($f->{op}) {
        die "$kind inside a fragmented message\n" if $self->{part};
        $self->{part} = { kind => $kind, payload => '', zip => $f->{rsv} };
    }

    my $part = $self->{part} or die "continuation of nothing\n";
    $part->{payload} .= $f->{payload};
    $part->{frames}++;
    return if !$f->{fin};

    delete $self->{part};
    $part->{wire} = length $part->{payload};
    $part->{payload} = $self->uncompress($part->{payload}) if $part->{zip};

    if ($kind eq 'text') {
        my $copy = $part->{payload};
        die "text is no UTF-8\n" if !utf8::decode($copy);
    }

    push @{ $self->{queue} }, $part;
    push @{ $self->{seen} }, $part->{payload} if $self->{record};
}


sub take_control {
    my ($self, $kind, $payload) = @_;

    if ($kind eq 'ping' && $self->{autopong}) {
        $self->{pings}++;
        $self->frame(op => 10, payload => $payload);
        return;
    }

    my $event = { kind => $kind, payload => $payload };

    if ($kind eq 'close') {
        die "close frame of one byte\n" if length $payload == 1;
        ($event->{code}, $event->{reason}) = unpack 'n a*', $payload
            if length $payload;
        $self->{closed} = 1;

        if ($self->{autoclose} && !$self->{close_sent}) {
            $self->frame(op => 8, payload => substr $payload, 0, 2);
        }
    }

    push @{ $self->{queue} }, $event;
}


# Takes what came next off the queue, or dies in words.

sub next {
    my ($self, $timeout) = @_;

    __PACKAGE__->until($timeout, sub { @{ $self->{queue} } })
        or die "nothing came in ${timeout}s\n";

    return $self->{last} = shift @{ $self->{queue} };
}


sub half_close { shutdown $_[0]{sock}, 1 }


sub drop {
    my ($self, $reset) = @_;

    delete $Open{$self};
    return if !$self->{sock};

    if ($reset) {
        setsockopt $self->{sock}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    }

    if ($self->{tls}) {
        $self->{sock}->close(SSL_no_shutdown => 1, SSL_fast_shutdown => 1);

    } else {
        close $self->{sock};
    }

    delete $self->{sock};
    $self->{eof} = 1;
}


sub drop_all { $_->drop for values %Open }


1;
