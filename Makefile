
# Copyright (C) the chat module's authors

# "make help" lists the targets.  The work is done by the scripts in t/tools;
# this file says what depends on what.

BUILD ?=	build
PORT ?=		8080
SECONDS =	30
NGINX_SRC ?=
TESTS ?=

TOOLS =		t/tools

export BUILD CC CFLAGS LDFLAGS NGINX_SRC PORT TESTS

# nginx itself reads the variable NGINX: it must have another name here

ifneq ($(NGINX_SRC),)
WHAT =		nginx
export NGINX_BINARY =	$(abspath $(BUILD))/nginx/objs/nginx
else
WHAT =		module
endif


.PHONY:	all build install run stop test unit check lint asan valgrind fuzz \
	corpus model soak cover bench chaos clean help

all:	build

build:						## make the module
	@$(TOOLS)/deps build
	@$(TOOLS)/build module

install: build					## put it where nginx looks
	@$(TOOLS)/install

run:						## start a chat on PORT
	@$(TOOLS)/deps build run
	@$(TOOLS)/build $(WHAT)
	@$(TOOLS)/run start

stop:						## stop it
	@$(TOOLS)/run stop

test:						## run all tests, or TESTS
	@$(TOOLS)/deps build test
	@$(TOOLS)/build $(WHAT)
	@$(TOOLS)/node
	@$(MAKE) --no-print-directory programs
	@$(TOOLS)/test

unit:						## run the unit tests
	@$(TOOLS)/deps build run
	@$(TOOLS)/build configure
	@$(MAKE) --no-print-directory programs
	@TESTS="$(UNITS)" $(TOOLS)/test

check:	lint

lint:						## check style and layers
	@$(TOOLS)/deps build lint
	@$(TOOLS)/build module
	@$(TOOLS)/lint

asan:						## test with sanitizers
	@$(TOOLS)/deps build test source
	@$(TOOLS)/node
	@$(TOOLS)/asan

valgrind:					## test under valgrind
	@$(TOOLS)/deps build test valgrind
	@$(TOOLS)/build $(WHAT)
	@$(TOOLS)/node
	@$(TOOLS)/valgrind

fuzz:						## fuzz each parser SECONDS
	@$(TOOLS)/deps build fuzz
	@$(TOOLS)/fuzz $(SECONDS)

corpus:						## report the corpus' coverage
	@$(TOOLS)/deps build fuzz
	@$(TOOLS)/fuzz cover

model:						## run all interleavings
	@$(TOOLS)/deps build run
	@$(TOOLS)/build configure
	@$(MAKE) --no-print-directory programs
	@TESTS="$(MODELS)" $(TOOLS)/test

soak:						## hours' worth of use, SECONDS
	@$(TOOLS)/deps build run
	@$(TOOLS)/build configure
	@$(MAKE) --no-print-directory programs
	@$(SOAK) $(SECONDS)

cover:						## report the tests' coverage
	@$(TOOLS)/deps build test source cover
	@$(TOOLS)/node
	@$(TOOLS)/cover

bench:						## compare with other servers
	@$(TOOLS)/deps build test bench
	@$(TOOLS)/build $(WHAT)
	@$(TOOLS)/node
	@t/bench/run

chaos:	SECONDS = 60
chaos:						## test under faults for SECONDS
	@$(TOOLS)/deps build test
	@$(TOOLS)/build $(WHAT)
	@t/chaos/run $(SECONDS) $(SEED)

clean:						## remove what was made
	@$(TOOLS)/run stop
	rm -rf $(BUILD)

help:						## show this
	@echo "make [target] [VARIABLE=value]"
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 14
	@echo
	@echo "  CC=         compiler"
	@echo "  NGINX_SRC=  nginx source tree to build with, not the installed"
	@echo "  BUILD=      folder for all that is made, build"
	@echo "  PORT=       of \"make run\", 8080"
	@echo "  TESTS=      names of tests, \"t/ws_frames.t t/ws_close.t\""
	@echo "  SECONDS=    of \"make fuzz\", 30, and \"make chaos\", 60"
	@echo "  SEED=       of \"make chaos\", to see the same faults again"
	@echo "  DEPS=no     look for no missing packages"
	@echo "  V=1         show the compiler's commands"


# Unit tests: t/unit/NAME_test.c and all of src/lib make build/unit/NAME.
# The names that begin with shm_ have src/shm too, nginx's headers, and
# t/unit/ngx_stub.c for the little that it calls of nginx, and the shm kits.

SANITIZE =
UNIT_CFLAGS =	-g -O2 -Wall -Wextra -Werror $(SANITIZE) $(CFLAGS)
UNIT_LIBS =	-lz -ljansson -lcrypto

comma =		,

UNIT =		$(BUILD)/unit
UNITS =		$(patsubst t/unit/%_test.c,$(UNIT)/%,$(wildcard t/unit/*_test.c))
SHM_UNITS =	$(filter $(UNIT)/shm_%,$(UNITS))
LIB_UNITS =	$(filter-out $(SHM_UNITS),$(UNITS))

LIB_OBJS =	$(patsubst src/lib/%.c,$(UNIT)/lib/%.o,$(wildcard src/lib/*.c))
SHM_OBJS =	$(patsubst src/shm/%.c,$(UNIT)/shm/%.o,$(wildcard src/shm/*.c)) \
		$(UNIT)/shm/ngx_stub.o $(UNIT)/shm/shm_kit.o \
		$(UNIT)/shm/shm_people_kit.o $(UNIT)/shm/shm_crash_kit.o \
		$(UNIT)/shm/shm_step_kit.o

NGX =		$(BUILD)/nginx
NGX_INCS =	-I $(NGX)/src/core -I $(NGX)/src/event \
		-I $(NGX)/src/event/modules -I $(NGX)/src/os/unix \
		-I $(NGX)/objs -I src/shm -Wno-unused-parameter

# The models run src/shm on a scheduler of their own: their compiler calls it
# at each access to memory, and they have no sanitizer beside.

MODEL =		$(BUILD)/model
MODELS =	$(patsubst t/model/%.c,$(MODEL)/%,$(wildcard t/model/*_model.c))
MODEL_FLAGS =	-g -O1 -Wall -Wextra -Werror -U_FORTIFY_SOURCE -I src/worker \
		-I t/model -I t/unit
MODEL_HOOKS =	-fsanitize=thread -fno-builtin -include t/model/quick.h
MODEL_SHM =	$(patsubst src/shm/%.c,$(MODEL)/src/%.o,$(wildcard src/shm/*.c))
MODEL_OBJS =	$(MODEL_SHM) $(MODEL)/t/model.o $(MODEL)/t/hooks.o \
		$(MODEL)/t/cases.o $(MODEL)/t/ngx_stub.o $(MODEL)/t/shm_kit.o
MODEL_CALLS =	memcpy memmove memset memcmp kill sched_yield read write

SOAK =		$(UNIT)/soak

# The fuzzers' targets with their corpora, without a fuzzer

REPLAYS =	$(patsubst t/fuzz/%_fuzz.c,$(UNIT)/replay_%, \
		$(wildcard t/fuzz/*_fuzz.c))

.PHONY:	programs
.SECONDARY:

programs: $(UNITS) $(MODELS) $(SOAK) $(REPLAYS)

$(UNIT)/lib/%.o: src/lib/%.c
	@mkdir -p $(@D)
	@echo "   cc $<"
	@$(CC) $(UNIT_CFLAGS) -MMD -MP -I src/lib -c -o $@ $<

$(UNIT)/shm/%.o: src/shm/%.c
	@mkdir -p $(@D)
	@echo "   cc $<"
	@$(CC) $(UNIT_CFLAGS) -MMD -MP $(NGX_INCS) -I src/lib -c -o $@ $<

$(UNIT)/shm/%.o: t/unit/%.c
	@mkdir -p $(@D)
	@echo "   cc $<"
	@$(CC) $(UNIT_CFLAGS) -MMD -MP $(NGX_INCS) -I src/lib -c -o $@ $<

$(SHM_UNITS): $(UNIT)/%: t/unit/%_test.c $(SHM_OBJS) $(LIB_OBJS)
	@mkdir -p $(@D)
	@echo "   cc $<"
	@$(CC) $(UNIT_CFLAGS) -MMD -MP -MF $@.d -MT $@ $(NGX_INCS) -I src/lib \
		-I t/unit -o $@ $< $(SHM_OBJS) $(LIB_OBJS) $(UNIT_LIBS)

$(LIB_UNITS): $(UNIT)/%: t/unit/%_test.c $(LIB_OBJS)
	@mkdir -p $(@D)
	@echo "   cc $<"
	@$(CC) $(UNIT_CFLAGS) -MMD -MP -MF $@.d -MT $@ -I src/lib -I t/unit \
		-o $@ $< $(LIB_OBJS) $(UNIT_LIBS)

$(REPLAYS): $(UNIT)/replay_%: t/fuzz/%_fuzz.c t/fuzz/replay.c $(LIB_OBJS)
	@mkdir -p $(@D)
	@echo "   cc $<"
	@$(CC) $(UNIT_CFLAGS) -I src/lib -I t/unit -I t/fuzz \
		-D REPLAY_CORPUS='"t/fuzz/corpus/$*"' \
		-o $@ $< t/fuzz/replay.c $(LIB_OBJS) $(UNIT_LIBS)

$(SOAK): t/soak/soak.c $(SHM_OBJS) $(LIB_OBJS)
	@mkdir -p $(@D)
	@echo "   cc $<"
	@$(CC) $(UNIT_CFLAGS) -MMD -MP -MF $@.d -MT $@ $(NGX_INCS) -I src/lib \
		-I t/unit -o $@ $< $(SHM_OBJS) $(LIB_OBJS) $(UNIT_LIBS)

$(MODEL)/src/%.o: src/shm/%.c t/model/quick.h
	@mkdir -p $(@D)
	@echo "   cc $< for the models"
	@$(CC) $(MODEL_FLAGS) $(MODEL_HOOKS) -MMD -MP $(NGX_INCS) -I src/lib \
		-c -o $@ $<

$(MODEL)/src/%.o: src/worker/%.c t/model/quick.h
	@mkdir -p $(@D)
	@echo "   cc $< for the models"
	@$(CC) $(MODEL_FLAGS) $(MODEL_HOOKS) -MMD -MP $(NGX_INCS) -I src/lib \
		-c -o $@ $<

$(MODEL)/t/%.o: t/model/%.c
	@mkdir -p $(@D)
	@echo "   cc $<"
	@$(CC) $(MODEL_FLAGS) -MMD -MP $(NGX_INCS) -I src/lib -c -o $@ $<

$(MODEL)/t/%.o: t/unit/%.c
	@mkdir -p $(@D)
	@echo "   cc $< for the models"
	@$(CC) $(MODEL_FLAGS) -MMD -MP $(NGX_INCS) -I src/lib -c -o $@ $<

$(MODEL)/wake_model: $(MODEL)/src/ngx_http_chat_notify.o

$(MODELS): $(MODEL)/%: $(MODEL)/t/%.o $(MODEL_OBJS)
	@$(CC) -g -o $@ $^ $(patsubst %,-Wl$(comma)--wrap=%,$(MODEL_CALLS))

-include $(wildcard $(UNIT)/*.d $(UNIT)/*/*.d $(MODEL)/*/*.d)
