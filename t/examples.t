#!/usr/bin/perl

# Copyright (C) the chat module's authors

# Each configuration in conf/examples is accepted, and holds a conversation.

use strict;
use warnings;

use File::Basename;
use FindBin;
use lib "$FindBin::Bin/lib";
use ChatServer;
use Test::More;

my ($node, $why) = ChatServer::node('ws');
plan(skip_all => $why) unless $node;

my $script = "$ChatServer::top/t/clients/examples.mjs";
my $certificate = 'certs/example.com.pem';

my @examples = map { basename($_, '.conf') }
               sort glob "$ChatServer::top/conf/examples/*.conf";

for my $example (@examples) {
    if ($example eq 'wss' && system('openssl version >/dev/null 2>&1')) {
        diag('wss.conf is not tried, as there is no openssl to make its '
             . 'certificate');
        next;
    }

    my $server = ChatServer->new(name => "example_$example",
                                 conf => "$example.conf",
                                 prepare => $example eq "wss"
                                 ? \&make_certificate : undef)->start();

    if ($example eq 'wss') {
        $server->play($node, $script, $example, $server->port(443),
                      $server->port(80), $server->dir() . "/$certificate");

    } else {
        $server->play($node, $script, $example, $server->port());
    }

    $server->stop();
}

done_testing();


sub make_certificate {
    my ($server) = @_;

    my $name = $server->dir() . '/certs/example.com';

    system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 "
           . "-subj /CN=example.com "
           . "-addext 'subjectAltName=DNS:example.com,DNS:localhost' "
           . "-keyout $name.key -out $name.pem >/dev/null 2>&1") == 0
        or die "openssl makes no certificate\n";
}
