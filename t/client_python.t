#!/usr/bin/perl

# Copyright (C) the chat module's authors

# The Python package "websockets" as a client, in raw mode and in chat.v1,
# with and without compression.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use ChatServer;
use Test::More;

my ($python) = grep { system("$_ -c 'import websockets' >/dev/null 2>&1") == 0 }
               ('/usr/bin/python3', 'python3');

plan(skip_all => 'no python3 with "websockets" here, "make test" installs it')
    unless $python;

my $config = <<'END';
worker_processes 2;

events {
}

http {
    chat_zone chat:32m;
    chat_history messages=1000 age=1h;
    chat_rate off;
    chat_presence off;

    server {
        listen 8080;

        location = /raw {
            chat chat;
            chat_protocol raw;
            chat_room raw-$arg_room;
            chat_history off;
            chat_message_size 1m;
        }

        location = /chat {
            chat chat;
            chat_user $arg_user;
        }
    }
}
END

my $server = ChatServer->new(name => 'python', config => $config)->start();

$server->play($python, "$ChatServer::top/t/clients/websockets_client.py",
              '127.0.0.1:' . $server->port());
$server->stop();

done_testing();
