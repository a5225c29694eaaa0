package Test::Nginx::Chat::Script;

# A conversation as text, one step a line; what steps there are stands at the
# end of this file.  Each line that expects something is one test; the first
# that fails ends its conversation, with what the clients had seen until then.

use v5.10.1;
use strict;
use warnings;

use Time::HiRes qw( time );

use Test::Nginx::Chat::Client;
use Test::Nginx::Chat::Frame;
use Test::Nginx::Chat::Match;
use Test::Nginx::Chat::Server;

# Steps that are not the first word's client, but the conversation's.
my %Global = map { $_ => 1 }
    qw( nginx log access set ok same within timeout for end perl conf );


# port, server, timeout; report: sub (good, name, explanation).

sub new {
    my ($class, %opt) = @_;

    return bless { clients => {}, vars => {}, trace => [], %opt }, $class;
}


sub run {
    my ($self, $text) = @_;

    utf8::encode($text) if utf8::is_utf8($text);
    $text =~ s/\\\n\s*//g;

    my $no = 0;
    my @steps = map { [ ++$no, $_ ] } split /\n/, $text;
    @steps = grep { $_->[1] =~ /\S/ && $_->[1] !~ /^\s*#/ } @steps;

    my $good = eval { $self->play(@steps); 1 };
    return 1 if $good;

    my $error = $@;
    chomp $error;
    $self->{report}->(0, $self->{step} // 'script',
                      "line " . ($self->{no} // '?') . ": $error\n"
                      . $self->story);
    return 0;
}


# What the last steps and clients saw, for who has to find the fault.

sub story {
    my ($self) = @_;

    my @lines = map { "  $_" } @{ $self->{trace} };
    my $v = $self->{vars};

    push @lines, "  with " . join ', ', map { "$_=" . substr $v->{$_}, 0, 40 }
                                        grep { defined $v->{$_} } sort keys %$v
        if %$v;

    for my $name (sort keys %{ $self->{clients} }) {
        my $c = $self->{clients}{$name};
        my @left = @{ $c->{queue} };
        splice @left, 5 if @left > 5;
        push @lines, "  $name: $c->{state}"
                     . (defined $c->{status} ? " $c->{status}" : '')
                     . ($c->{worker} ? " worker $c->{worker}" : '')
                     . ($c->{gone} ? " gone ($c->{gone})" : '')
                     . join '', map { "\n    waiting: " . show($_) } @left;
    }

    return join "\n", @lines;
}


sub show {
    my ($event) = @_;

    my $payload = $event->{payload} // '';
    my $len = length $payload;

    $payload = substr($payload, 0, 300) . "... ($len bytes)" if $len > 300;
    $payload =~ s/([^\x20-\x7e])/sprintf '\\x%02x', ord $1/ge;

    if ($event->{kind} eq 'close') {
        return 'close ' . ($event->{code} // 'without code')
               . ' ' . ($event->{reason} // '');
    }

    return "$event->{kind} $payload";
}


sub play {
    my ($self, @steps) = @_;

    while (@steps) {
        my ($no, $line) = @{ shift @steps };

        if ($line =~ /^\s*(for|within)\s+(.*)/) {
            my ($word, $args) = ($1, $2);
            my @body = body(\@steps, $no);
            $self->{no} = $no;

            if ($word eq 'for') {
                $self->play_for($args, @body);

            } else {
                $self->play_within($args, @body);
            }

            next;
        }

        $self->step($no, $line);
    }
}


sub body {
    my ($steps, $no) = @_;

    my $depth = 1;
    my @body;

    while (@$steps) {
        my $step = shift @$steps;
        $depth++ if $step->[1] =~ /^\s*(?:for|within)\s/;
        $depth-- if $step->[1] =~ /^\s*end\s*$/;
        return @body if !$depth;
        push @body, $step;
    }

    die "no end for line $no\n";
}


# for NAME 1..9 | for NAME a b c

sub play_for {
    my ($self, $args, @body) = @_;

    my ($name, $list) = $self->expand($args) =~ /^(\w+)\s+(.*)/
        or die "for NAME LIST\n";
    my @values = $list =~ /^(-?\d+)\.\.(-?\d+)$/ ? $1 .. $2
                                                 : split ' ', $list;

    my $inside = $self->{passed};
    my $passed = $self->{passed} ||= [];

    for my $value (@values) {
        $self->{vars}{$name} = $value;
        $self->play(@body);
    }

    return if $inside;

    delete $self->{passed};
    $self->report_loop($passed);
}


# What is expected over and over is one test a line of the script.

sub report_loop {
    my ($self, $passed) = @_;

    my (%count, %step);

    for (@$passed) {
        my ($no, $step) = @$_;
        $count{$no}++;
        $step{$no} //= $step;
    }

    for my $no (sort { $a <=> $b } keys %count) {
        $self->{report}->(1, "$step{$no} ($count{$no} times)");
    }
}


sub play_within {
    my ($self, $args, @body) = @_;

    my $no = $self->{no};
    my $limit = seconds($args);
    my $start = time;

    $self->play(@body);

    my $took = time - $start;
    $limit *= $self->{slowness};
    ($self->{no}, $self->{step}) = ($no, "within $args");
    die sprintf "took %.3fs\n", $took if $took > $limit;
    $self->pass("within $args");
}


sub seconds {
    my ($text) = @_;

    $text =~ /^([\d.]+)(ms|s)$/ or die "a time is 5s or 200ms, not $text\n";

    return $2 eq 's' ? $1 : $1 / 1000;
}


# $name is a variable's value where there is one, $(...) what Perl makes of
# the inside.

sub expand {
    my ($self, $line) = @_;

    my $vars = $self->{vars};

    $line =~ s{(?<!\\)\$(?:(\w+)|(\((?:[^()]++|(?2))*\)))}
              { defined $1 ? exists $vars->{$1} ? $vars->{$1} : "\$$1"
                           : $self->perl($2) }ge;

    return $line;
}


# a regex out of a script's text, which may have \Q...\E in it

sub regex {
    my ($text) = @_;

    $text =~ s/\\Q(.*?)\\E/quotemeta $1/gse;

    return qr/$text/s;
}


sub perl {
    my ($self, $code) = @_;

    our %v;
    local *v = $self->{vars};
    $code =~ s{\$(\w+)\b(?![\{\[])}
              { exists $self->{vars}{$1} ? "\$v{$1}" : "\$$1" }ge;

    my $value = eval "package main; no strict; $code";
    die "in $code: $@" if $@;

    return $value // '';
}


sub step {
    my ($self, $no, $line) = @_;

    $line =~ s/^\s+|\s+$//g;
    my ($who, $rest) = split ' ', $line, 2;
    $rest //= '';
    $who = $self->expand($who);

    $self->{no} = $no;
    $self->{step} = "$who $rest";
    push @{ $self->{trace} }, "$no: " . substr $line, 0, 120;
    shift @{ $self->{trace} } if @{ $self->{trace} } > 8;

    if ($Global{$who}) {
        my $do = "do_$who";
        return $self->$do($rest);
    }

    $self->client_step($who, $rest);
}


sub pass {
    my ($self, $name) = @_;

    if ($self->{passed}) {
        push @{ $self->{passed} }, [ $self->{no}, $name // $self->{step} ];
        return;
    }

    $self->{report}->(1, $name // $self->{step});
}


sub want {
    my ($self, $good, $why) = @_;

    die "$why\n" if !$good;
    $self->pass;
}


# --- the conversation's own steps

sub do_set {
    my ($self, $args) = @_;

    my ($name, $code) = $args =~ /^(\w+)\s*=\s*(.*)/ or die "set NAME = PERL\n";
    $self->{vars}{$name} = $self->perl("($code)");
}


sub do_timeout {
    my ($self, $args) = @_;

    $self->{timeout} = seconds($args) * $self->{slowness};
    $self->{server}{time} = $self->{timeout} if $self->{server}{time}
                                                < $self->{timeout};
}


sub do_ok {
    my ($self, $code) = @_;

    $self->want($self->perl("($code)"),
                "it is not so: " . $self->expand($code));
}


# perl NAME ARGS calls main::NAME(script, args), which dies if unhappy.

sub do_perl {
    my ($self, $args) = @_;

    my ($name, @args) = split ' ', $self->expand($args);
    my $sub = main->can($name) or die "no sub $name\n";

    $sub->($self, @args);
    $self->pass;
}


# same alice bob carol: they saw the same messages, byte by byte.

sub do_same {
    my ($self, $args) = @_;

    my ($first, @others) = map { $self->client($_) }
                           split ' ', $self->expand($args);
    my @want = events($first);

    for my $other (@others) {
        my @have = events($other);
        die "$first->{name} saw " . @want . " messages, $other->{name} "
            . @have . "\n" if @want != @have;

        for my $i (0 .. $#want) {
            next if $want[$i] eq $have[$i];
            die "message $i differs: $want[$i] / $have[$i]\n";
        }
    }

    $self->want(scalar @want, 'nobody saw any message');
}


sub events {
    my ($client) = @_;

    die "$client->{name} kept no record, say so in connect\n"
        if !$client->{record};

    return @{ $client->{seen} } if $client->{record} eq 'all';
    return grep { /"type":"message"/ && !/"messages":/ } @{ $client->{seen} };
}


# log ~regex | log no ~regex | log N ~regex; access the same.

sub do_log { $_[0]->log_step('error.log', $_[1]) }


sub do_access { $_[0]->log_step('access.log', $_[1]) }


sub log_step {
    my ($self, $file, $args) = @_;

    if ($args =~ s/^in (\S+)\s+//) {
        $file = $1;
    }

    my ($count, $re) = $self->expand($args) =~ /^(?:(no|\d+)\s+)?~(.*)/
        or die "log [no|N] ~regex\n";
    my $server = $self->{server};
    $re = regex($re);

    if (defined $count && $count eq 'no') {
        my @found = grep { /$re/ } $server->log($file);
        return $self->want(!@found, "found: " . ($found[0] // ''));
    }

    my $wanted = $count // 1;
    my $found;
    Test::Nginx::Chat::Client->until($self->{timeout}, sub {
        $found = $server->count_log($re, $file);
        return $found >= $wanted;
    });

    $self->want(defined $count ? $found == $count : $found,
                "$found lines match");
}


# nginx kill alice | slay alice | reload | renewed | quit | stopped | signal HUP
#   | freeze alice | thaw | edit s/this/that/

sub do_nginx {
    my ($self, $args) = @_;

    my ($what, $who) = split ' ', $self->expand($args), 2;
    my $server = $self->{server};
    my $pid = $who && $self->{clients}{$who} && $self->{clients}{$who}{worker};

    if ($what eq 'kill') {
        $server->kill_worker($pid || die "whose worker?\n");

    } elsif ($what eq 'slay') {
        $server->slay($pid || die "whose worker?\n");

    } elsif ($what eq 'reload') {
        $server->reload;

    } elsif ($what eq 'renewed') {
        $server->old_gone;
        $self->pass;

    } elsif ($what eq 'quit') {
        $server->signal('QUIT');

    } elsif ($what eq 'signal') {
        $server->signal($who);

    } elsif ($what eq 'stopped') {
        $server->wait_for('the end of nginx', sub { $server->gone });
        $self->pass;

    } elsif ($what eq 'freeze') {
        $server->freeze($pid || die "whose worker?\n");

    } elsif ($what eq 'thaw') {
        $server->thaw;

    } elsif ($what eq 'edit') {
        $self->edit_conf($args =~ s/^edit\s+//r);

    } else {
        die "nginx cannot $what\n";
    }
}


sub edit_conf {
    my ($self, $code) = @_;

    my $file = $self->{server}{conf};

    open my $in, '<', $file or die "$file: $!\n";
    local $_ = do { local $/; <$in> };
    close $in;

    my $done = eval $code;
    die "$code changed nothing\n" if !$done;

    open my $out, '>', $file or die "$file: $!\n";
    print $out $_;
    close $out or die "$file: $!\n";
}


# conf good LEVEL: TEXT [=> ~regex] | conf bad LEVEL: TEXT => ~regex
# tells what "nginx -t" says to such a text at that level: a warning, an error.

sub do_conf {
    my ($self, $args) = @_;

    my ($verdict, $level, $text, $re) =
        $self->expand($args)
        =~ /^(good|bad)\s+(\w+):\s*(.*?)\s*(?:=>\s+~(.*))?$/
        or die "conf good|bad LEVEL: TEXT => ~regex\n";

    my ($status, $said) = $self->{try_conf}->($level, $text);

    if ($verdict eq 'good' && ($status || !defined $re)) {
        return $self->want(!$status, "nginx says: $said");
    }

    die "nginx is content with it\n" if $verdict eq 'bad' && !$status;
    die "no message to look for\n" if !defined $re;
    $level = $verdict eq 'good' ? 'warn' : 'emerg';
    $re = regex("\\[$level\\][^\\n]*$re");
    $self->want(scalar $said =~ $re, "nginx says: $said");
}


# --- a client's steps

sub client {
    my ($self, $name) = @_;

    return $self->{clients}{$name} || die "$name is not connected\n";
}


my %Step = (
    '>'      => sub { $_[0]->send_message($_[1], text => 0, $_[2]) },
    'b>'     => sub { $_[0]->send_message($_[1], binary => 0, $_[2]) },
    'z>'     => sub { $_[0]->send_message($_[1], text => 1, $_[2]) },
    text     => sub { $_[0]->send_message($_[1], text => 0, $_[2]) },
    binary   => sub { $_[0]->send_message($_[1], binary => 0, $_[2]) },
    ztext    => sub { $_[0]->send_message($_[1], text => 1, $_[2]) },
    zbinary  => sub { $_[0]->send_message($_[1], binary => 1, $_[2]) },
    ping     => sub { $_[1]->frame(op => 9, payload => unescape($_[2])) },
    pong     => sub { $_[1]->frame(op => 10, payload => unescape($_[2])) },
    hex      => sub { $_[1]->send(pack 'H*', $_[2] =~ s/\s//gr) },
    raw      => sub { $_[1]->send(unescape($_[2])) },
    pause    => sub { $_[1]{paused} = 1 },
    resume   => sub { $_[1]{paused} = 0 },
    drop     => sub { $_[1]->drop },
    reset    => sub { $_[1]->drop(1) },
    shut     => sub { $_[1]->half_close },
    cork     => sub { $_[1]{cork} = 1; $_[1]{corked} = '' },
    autopong => sub { $_[1]{autopong} = $_[2] eq 'on' },
    autoclose => sub { $_[1]{autoclose} = $_[2] eq 'on' },
    record   => sub { $_[1]{record} = $_[2] || 'messages'; $_[1]{seen} = [] },
);


sub client_step {
    my ($self, $name, $rest) = @_;

    my ($verb, $args) = split ' ', $rest, 2;
    $args //= '';

    return $self->connect($name, $self->expand($args), 101)
        if $verb eq 'connect';
    return $self->refused($name, $self->expand($args)) if $verb eq 'refused';
    return $self->open_raw($name, $self->expand($args)) if $verb eq 'open';

    my $client = $self->client($name);

    # captures are for the comparison to see, not for the text
    return $self->get_json($client, $args) if $verb eq '<';
    return $self->skip_to($client, $args) if $verb eq 'skip';

    $args = $self->expand($args);

    if (my $do = $Step{$verb}) {
        return $do->($self, $client, $args);
    }

    my $do = "client_$verb";
    die "nobody can $verb\n" if !$self->can($do);
    return $self->$do($client, $args);
}


# URL words: METHOD before, HTTP/1.0 after, then options, then "| Header: v"

sub connect {
    my ($self, $name, $args, $status) = @_;

    my ($line, @headers) = split /\s+\|\s*/, $args;
    s/^([^:]+:\s*)(".*")$/$1 . unescape($2)/se for @headers;
    my ($method, $url, $more) = $line =~ /^(?:([A-Z]+)\s+)?(\S+)\s*(.*)$/
        or die "connect URL\n";
    my $http = $more =~ s/(HTTP\/\d\.\d)\s*// ? $1 : undef;
    my %opt = map { /^([^=]+)=(.*)/ ? ($1, $2) : ($_, 1) } split ' ', $more;

    $opt{deflate} = 'permessage-deflate' if ($opt{deflate} // '') eq '1';
    $opt{deflate} =~ s/,/; /g if $opt{deflate};
    my $plus = defined $opt{plus} ? pack('H*', delete $opt{plus}) : '';
    my ($other, $same) = (delete $opt{other}, delete $opt{same});

    for my $try (1 .. 100) {
        $self->{clients}{$name}->drop if $self->{clients}{$name};

        my $client = Test::Nginx::Chat::Client->new($name,
                                                    port => $self->{port},
                                                    %opt);
        $self->{clients}{$name} = $client;
        $client->send($client->handshake(url => $url, method => $method,
                                         http => $http,
                                         headers => \@headers,
                                         deflate => $opt{deflate}) . $plus);
        $self->wait_answer($client);

        last if $client->{status} != 101;
        last if !$other && !$same;

        my $there = $self->client($other || $same)->{worker}
            or die "the answer names no worker\n";
        last if $other ? $client->{worker} != $there
                       : $client->{worker} == $there;

        die "no such worker in $try tries\n" if $try == 100;
    }

    $self->judge($name, $status);
}


sub judge {
    my ($self, $name, $status) = @_;

    my $client = $self->client($name);
    my $said = ($client->{status} // 'nothing') . ' ' . ($client->{body} // '');

    return if !defined $status;
    die "the answer is $said\n" if ($client->{status} // 0) != $status;
    die "the 101 does not accept the key\n"
        if $status == 101 && !$client->accepted;

    $self->pass;
}


sub refused {
    my ($self, $name, $args) = @_;

    my ($status, $rest) = $args =~ /^(\d+)\s+(.*)/
        or die "refused STATUS URL\n";

    $self->connect($name, $rest, $status);
}


# A bare connection: "raw" writes on it, "status" reads the answer.

sub open_raw {
    my ($self, $name, $args) = @_;

    my %opt = map { /^([^=]+)=(.*)/ ? ($1, $2) : ($_, 1) } split ' ', $args;

    $self->{clients}{$name} = Test::Nginx::Chat::Client->new($name,
                                                   port => $self->{port}, %opt);
    $self->{clients}{$name}{key} = 'dGhlIHNhbXBsZSBub25jZQ==';
}


sub client_status {
    my ($self, $client, $args) = @_;

    $self->wait_answer($client);
    $self->judge($client->{name}, $args);
}


sub wait_answer {
    my ($self, $client) = @_;

    Test::Nginx::Chat::Client->until($self->{timeout},
                                     sub { $client->answered })
        or die "no answer\n";
    Test::Nginx::Chat::Client->until($self->{timeout}, sub {
        return $client->{state} ne 'answer' || defined $client->{body};
    });

    die "closed without an answer\n" if !defined $client->{status};
}


# header NAME: value | header NAME ~regex | header no NAME

sub client_header {
    my ($self, $client, $args) = @_;

    my $h = $client->{headers};

    if ($args =~ /^no (\S+)$/) {
        return $self->want(!$h->{lc $1}, "it is: @{ $h->{lc $1} || [] }");
    }

    my ($name, $op, $value) = $args =~ /^([^:\s]+)(:| ~)\s*(.*)$/
        or die "header NAME: value\n";
    my $have = $h->{lc $name};

    die "there is no such header\n" if !$have;
    die "there are " . @$have . " of it\n" if @$have != 1;

    $self->want($op eq ':' ? $have->[0] eq $value
                           : $have->[0] =~ regex($value),
                "it is: $have->[0]");
}


sub client_body {
    my ($self, $client, $args) = @_;

    my ($re) = $args =~ /^~(.*)/ or die "body ~regex\n";
    $self->want(scalar(($client->{body} // '') =~ regex($re)),
                "it is: " . ($client->{body} // ''));
}


# "..." with escapes as in Perl, anything else as it stands

sub unescape {
    my ($text) = @_;

    return $text if $text !~ /^"(.*)"$/s;

    my $inside = $1;
    my %char = (n => "\n", r => "\r", t => "\t", 0 => "\0", e => "\e");

    $inside =~ s{\\(?:x([0-9a-fA-F]{2})|(.))}
                { defined $1 ? chr hex $1 : $char{$2} // $2 }gse;

    return $inside;
}


sub send_message {
    my ($self, $client, $kind, $zip, $text) = @_;

    my $payload = unescape($text);

    $payload = $client->compress($payload) if $zip;
    $client->frame(op => $Test::Nginx::Chat::Frame::OPCODE{$kind},
                   rsv => $zip ? 4 : 0, payload => $payload);
}


# frame op=1 fin=0 rsv=4 mask=0 len=70000 form=64 key=00000000 payload...

sub client_frame {
    my ($self, $client, $args) = @_;

    my %f;
    $f{$1} = $2 while $args =~ s/^(op|fin|rsv|mask|len|form|key)=(\w+)\s*//;

    $f{op} = $Test::Nginx::Chat::Frame::OPCODE{$f{op}}
        if exists $f{op} && $f{op} =~ /^[a-z]/;
    $f{key} = pack 'H8', $f{key} if exists $f{key};

    $client->frame(%f, payload => unescape($args));
}


# close 1000 reason | close | close hex 03e8

sub client_close {
    my ($self, $client, $args) = @_;

    my ($code, $reason) = split ' ', $args, 2;
    my $payload = '';

    if (defined $code) {
        $payload = $code eq 'hex' ? pack('H*', ($reason // '') =~ s/\s//gr)
                                  : pack 'n a*', $code, unescape($reason // '');
    }

    $client->{close_sent} = 1;
    $client->frame(op => 8, payload => $payload);
}


sub client_flush {
    my ($self, $client) = @_;

    my $bytes = delete $client->{corked};
    delete $client->{cork};
    $client->send($bytes);
}


# cut N STEP: what the step sends, in two segments, cut after N bytes
# slowly STEP: every byte in a segment of its own

sub client_cut {
    my ($self, $client, $args) = @_;

    my ($at, $step) = $args =~ /^(\d+)\s+(.*)/ or die "cut N STEP\n";

    $self->in_pieces($client, $step, sub {
        my ($bytes) = @_;
        return $bytes if $at >= length $bytes;
        return (substr($bytes, 0, $at), substr $bytes, $at);
    });
}


sub client_slowly {
    my ($self, $client, $step) = @_;

    $self->in_pieces($client, $step, sub { split //, $_[0] });
}


sub in_pieces {
    my ($self, $client, $step, $pieces) = @_;

    local $client->{pieces} = $pieces;
    $self->client_step($client->{name}, $step);
}


# --- what a client expects

sub get {
    my ($self, $client) = @_;

    my $event = $client->next($self->{timeout});
    die "the server broke the protocol: $event->{payload}\n"
        if $event->{kind} eq 'broken';

    return $event;
}


# < {json}: the next message is a text with at least this in it
# < ~regex: its text matches

sub get_json {
    my ($self, $client, $args) = @_;

    my $event = $self->get($client);
    my $error = $self->unlike_json($event, $args);

    $self->want(!$error, "$error\n  in " . show($event)) if $error;
    $self->pass;
}


sub unlike_json {
    my ($self, $event, $args) = @_;

    return "no text" if $event->{kind} ne 'text';

    if ($args =~ /^~(.*)/s) {
        my $re = regex($self->expand($1));
        return $event->{payload} =~ $re ? undef : 'no match';
    }

    # $name in quotes is compared or captured, without quotes it is put in
    my $want = Test::Nginx::Chat::Match::decode($self->expand_bare($args));
    my $got = eval { Test::Nginx::Chat::Match::decode($event->{payload}) };

    return $@ if $@;
    return Test::Nginx::Chat::Match::differs($got, $want, $self->{vars});
}


sub expand_bare {
    my ($self, $text) = @_;

    my @kept;
    $text =~ s{"\$(\w+)"}{ push @kept, $1; "\0$#kept\0" }ge;
    $text = $self->expand($text);
    $text =~ s{\0(\d+)\0}{"\$$kept[$1]"}g;

    return $text;
}


# skip {json}: whatever comes, until a message is like this
# skip closed CODE: whatever comes, until the server closes

sub skip_to {
    my ($self, $client, $args) = @_;

    my $deadline = time + $self->{timeout};
    my $skipped = 0;

    for ( ;; ) {
        my $event = $self->get($client);

        if ($args =~ /^closed (\d+)/ && $event->{kind} eq 'close') {
            unshift @{ $client->{queue} }, $event;
            return $self->client_closed($client, $1);
        }

        return $self->pass if $args =~ /^eof/ && $event->{kind} eq 'eof';
        return $self->pass if $args =~ /^[{~]/
                              && !$self->unlike_json($event, $args);

        die "the end came first, after $skipped messages\n"
            if $event->{kind} eq 'eof';
        die "nothing like it among $skipped messages\n" if time > $deadline;
        $skipped++;
    }
}


# recv text|binary|ping|pong PAYLOAD or ~regex; recv compressed|plain KIND ...
# recv close [CODE [reason]] | recv close none

sub client_recv {
    my ($self, $client, $args) = @_;

    my $zip = $args =~ s/^(compressed|plain)\s+// ? $1 : undef;
    my ($kind, $payload) = $args =~ /^(\w+)\s?(.*)$/s
        or die "recv KIND PAYLOAD\n";
    my $event = $self->get($client);
    my $what = 'got ' . show($event);

    die "$what\n" if $event->{kind} ne $kind;
    return $self->want_close($event, $payload) if $kind eq 'close';
    die "compressed it is" . ($event->{zip} ? "\n" : " not\n")
        if $zip && ($zip eq 'compressed') != !!$event->{zip};

    if ($payload =~ /^~(.*)/s) {
        return $self->want(scalar $event->{payload} =~ regex($1), $what);
    }

    $self->want($event->{payload} eq unescape($payload), $what);
}


sub want_close {
    my ($self, $event, $args) = @_;

    my ($code, $reason) = split ' ', $args, 2;
    my $got = $event->{code} // 'none';

    die 'got ' . show($event) . "\n" if defined $code && $code ne $got;
    die 'got ' . show($event) . "\n"
        if defined $reason && $reason ne ($event->{reason} // '');
    $self->pass;
}


# closed CODE: a close frame with this code, and then the end

sub client_closed {
    my ($self, $client, $args) = @_;

    my $event = $self->get($client);
    die 'got ' . show($event) . "\n" if $event->{kind} ne 'close';

    my $end = $self->get($client);
    die 'after the close frame: ' . show($end) . "\n" if $end->{kind} ne 'eof';
    die "not an end, but: $client->{error}\n" if $client->{error};

    $self->want_close($event, $args);
}


# eof: the connection ends, without a close frame at this point

sub client_eof {
    my ($self, $client) = @_;

    my $event = $self->get($client);
    $self->want($event->{kind} eq 'eof', 'got ' . show($event));
}


sub client_nothing {
    my ($self, $client, $args) = @_;

    my $came = Test::Nginx::Chat::Client->until(seconds($args), sub {
        return @{ $client->{queue} };
    });

    $self->want(!$came, 'got ' . show($client->{queue}[0] || { kind => '' }));
}


# pinged N: the server has pinged at least so often (and was answered)

sub client_pinged {
    my ($self, $client, $args) = @_;

    my $came = Test::Nginx::Chat::Client->until($self->{timeout}, sub {
        return ($client->{pings} // 0) >= $args;
    });

    $self->want($came, 'only ' . ($client->{pings} // 0));
}


# seqs FROM..TO [room]: the messages with these numbers, one by one

sub client_seqs {
    my ($self, $client, $args) = @_;

    my ($from, $to, $room) = $args =~ /^(\d+)\.\.(\d+)(?:\s+(\S+))?$/
        or die "seqs FROM..TO\n";

    for my $seq ($from .. $to) {
        my $event = $self->get($client);
        my $error = $self->unlike_json($event, qq({"type":"message","seq":$seq)
                                       . ($room ? qq(,"room":"$room"}) : '}'));
        die "waiting for $seq: $error\n  in " . show($event) . "\n" if $error;
    }

    $self->pass;
}


1;


__END__

=head1 A conversation

    alice connect /chat?user=alice
    alice < {"type":"welcome","user":"alice"}
    bob connect /chat?user=bob other=alice
    bob skip {"type":"welcome"}
    alice > {"type":"join","id":1,"room":"lobby"}
    alice < {"type":"ok","id":1,"epoch":"$epoch","seq":0}

The first word is who acts, the second what is done.  C<$name> is put in where
the variable is known, C<$(...)> is replaced by what the Perl inside gives,
with the variables as in C<$(10 * $seq)>.  Arguments in double quotes know
C<\n>, C<\r>, C<\t>, C<\0>, C<\xHH>, C<\\> and C<\">.  A line that ends in a
backslash goes on in the next.

=head2 Connecting

    connect [METHOD] URL [HTTP/1.0] [options] [| Header: value] ...
    refused STATUS ...               the same, but this is the answer

C<| Name: value> replaces a default header, C<| +Name: value> stands besides
it, C<| -Name> takes it away.  Options: C<tls>, C<port=N>, C<from=127.0.0.2>,
C<rcvbuf=N>, C<other=NAME> and C<same=NAME> (on another, the same worker as
that client), C<deflate> or C<deflate=OFFER> (commas for semicolons),
C<plus=HEX> (bytes in the segment of the handshake), C<record> (keep what comes
for C<same>).

    header NAME: value | header NAME ~regex | header no NAME | body ~regex
    open [options]; raw TEXT; status N       a handshake by hand

=head2 Sending

    > JSON            as text               b> JSON     as binary
    z> JSON           compressed            text T | binary T | ztext T
    ping T | pong T | close [CODE [REASON]] | close hex BYTES
    frame [op= fin= rsv= mask= len= form= key=] T       bit by bit
    hex BYTES         as they are
    cut N STEP        what STEP sends, in two segments
    slowly STEP       every byte in a segment of its own
    cork ... flush    everything between in one segment
    pause, resume     reading; shut: half close; drop; reset: with RST
    autopong on|off, autoclose on|off       both are on

=head2 Expecting

What a client gets is expected in order, with nothing left out.

    < JSON            a text that has at least this, see Match.pm
    < ~regex          a text that matches
    recv KIND T       text, binary, ping, pong; T may be ~regex
    recv compressed KIND T, recv plain KIND T
    recv close [CODE [REASON]]
    closed CODE       close frame and end of the connection
    eof               the end
    nothing 200ms     nothing in this time
    seqs 1..9 [ROOM]  the messages with these numbers
    skip JSON | skip ~regex | skip closed CODE | skip eof
    pinged N          the server has pinged so often

=head2 The conversation

    for NAME 1..9 ... end,  for NAME a b c ... end
    within 300ms ... end    all of this, in this time
    timeout 10s             how long a step may wait, from here on
    set NAME = PERL;  ok PERL;  perl SUB ARGS   a sub of the test file
    same alice bob          they saw the same messages (see record)
    nginx kill NAME         SIGKILL to the worker where NAME is, and wait for
                            the next one; nginx slay NAME: do not wait
    nginx freeze NAME, nginx thaw               SIGSTOP, SIGCONT
    nginx reload, nginx renewed                 the old workers are gone
    nginx quit, nginx stopped, nginx signal HUP
    nginx edit s/this/that/                     of the configuration
    log [no|N] ~regex;  access [no|N] ~regex;  log in FILE ~regex
    conf good LEVEL: TEXT [=> ~regex of a warning]
    conf bad LEVEL: TEXT => ~regex

=cut
