/*
 * Copyright (C) the chat module's authors
 *
 * The list of members, and the dialogs about people and rooms.
 */

import { $, ask, avatar, button, count, displayName, element, failed, paint }
    from './ui.js';

const ROLES = { member: '', moderator: 'Moderator', owner: 'Owner' };


/* show(user): what happens when somebody in the list is picked */

export function showMembers(room, show) {
    const people = room.people ?? [];
    const missing = room.count - people.length;

    $('members').replaceChildren(...people.map((member) => {
        const item = element('li');
        const node = button('member', '', () => show(member.user));
        const name = element('span', 'name', displayName(member));

        paint(node, member.color);
        name.dir = 'auto';
        node.append(avatar(member), name);

        if (member.user === room.chat.user) {
            node.append(element('span', 'tag', 'you'));
        }

        if (ROLES[member.role]) {
            node.append(element('span', 'tag', ROLES[member.role]));
        }

        item.append(node);

        return item;
    }));

    $('others').textContent = missing <= 0 ? ''
                              : people.length ? `and ${missing} more`
                              : count(missing, 'person', 'people') + ' here';
}


/* Asks what to do with a person; resolves with true for "write to them". */

export async function askPerson(room, user) {
    const { chat } = room;
    const known = room.members?.get(user);
    const person = known ?? room.messages.findLast((message) => {
        return message.user === user && message.type === 'message';
    }) ?? { user };

    const member = { role: 'member', ...known, user };
    const grants = Boolean(room.owns) && user !== chat.user;

    $('person-avatar').replaceChildren(avatar(person));
    $('person-name').textContent = displayName(person);
    $('person-role').textContent = [
        ROLES[member.role], room.members && !known ? 'Not here now' : '']
        .filter(Boolean).join(' · ');
    $('person-write').hidden = user === chat.user;
    $('person-grant').hidden = !grants;
    $('person-grant').disabled = !grants;
    $('person-grant').querySelector('select').value = member.role;
    $('person-act').hidden = !room.mayActOn?.(member);
    $('person-act').disabled = $('person-act').hidden;
    $('person-reason').value = '';
    $('person-purge').firstElementChild.checked = false;
    showAct();

    const answer = await ask($('person'));

    switch (answer?.action) {

    case 'grant':
        await chat.grant(room.name, user, answer.role)
                  .catch(failed('The role was not set'));
        break;

    case 'act':
        await act(room, user, answer).catch(failed('This is refused'));
        break;
    }

    return answer?.action === 'write';
}


function showAct() {
    const what = $('person-what').value;

    $('person-duration').hidden = what === 'kick' || what === 'unmute';
    $('person-purge').hidden = what !== 'kick' && what !== 'ban';
}


function act(room, user, { act: what, duration, reason, purge }) {
    const options = {};

    if (duration && (what === 'mute' || what === 'ban')) {
        options.duration = Number(duration);
    }

    if (reason.trim()) {
        options.reason = reason.trim();
    }

    if (purge && (what === 'kick' || what === 'ban')) {
        options.purge = true;
    }

    return room.chat[what](room.name, user, options);
}


/* Resolves with true if the room shall be left. */

export async function askSettings(room) {
    const slow = $('settings-slow');
    const people = count(room.count, 'person', 'people');

    $('settings-title').textContent = room.name;
    $('settings-about').textContent = room.gone ? 'You are not in this room.'
        : `${people} here${room.locked ? ', locked' : ''}`
          + `${room.membersOnly ? ', closed to others' : ''}.`;
    $('settings-fields').hidden = !room.moderates || Boolean(room.gone);
    $('settings-fields').disabled = $('settings-fields').hidden;
    $('settings-topic').value = room.topic;
    $('settings-locked').checked = room.locked;
    $('settings-only').checked = room.membersOnly;

    if (![...slow.options].some(({ value }) => Number(value) === room.slow)) {
        slow.append(new Option(`${room.slow / 1000} seconds`, room.slow));
    }

    slow.value = String(room.slow);

    const answer = await ask($('settings'));

    if (answer?.action === 'save') {
        const wanted = { topic: answer.topic.trim(),
                         slow: Number(answer.slow),
                         locked: Boolean(answer.locked),
                         members_only: Boolean(answer.only) };
        const now = { topic: room.topic, slow: room.slow,
                      locked: room.locked, members_only: room.membersOnly };
        const changed = Object.entries(wanted).filter(([key, value]) => {
            return value !== now[key];
        });

        if (changed.length) {
            await room.chat.set(room.name, Object.fromEntries(changed))
                      .catch(failed('The settings were not changed'));
        }
    }

    return answer?.action === 'leave';
}


export async function askProfile(chat) {
    $('profile-name').value = displayName(chat);
    $('profile-color').value = chat.color;
    $('profile-user').textContent = chat.name === chat.user ? ''
        : `You are known as “${displayName({ user: chat.user })}” here, `
          + 'whatever name you show.';

    const answer = await ask($('profile'));
    const name = answer?.name.trim();
    const fields = {};

    if (name && name !== displayName(chat)) {
        fields.name = name;
    }

    if (answer && answer.color !== chat.color) {
        fields.color = answer.color;
    }

    if (answer?.action === 'save' && Object.keys(fields).length) {
        await chat.profile(fields)
                  .catch(failed('Your profile was not changed'));
    }
}


/* Resolves with a room's name, or null. */

export async function askRoom(chat) {
    const dialog = $('finder');

    $('finder-name').value = '';
    $('finder-list').replaceChildren();

    chat.listRooms({ limit: 50 }).then(({ rooms }) => {
        $('finder-list').replaceChildren(...rooms.map((found) => {
            const item = element('li');
            const node = button('found', '', () => {
                $('finder-name').value = found.room;
                dialog.close('open');
            });
            const name = element('span', 'name', found.room);

            name.dir = 'auto';
            node.append(name, element('span', 'tag',
                                      count(found.members, 'person',
                                            'people')));

            if (found.topic) {
                node.append(element('span', 'said', found.topic));
            }

            item.append(node);

            return item;
        }));

    }, failed('The rooms cannot be listed'));

    const answer = await ask(dialog);

    return answer?.room.trim() || null;
}


/* Resolves with a user, or null. */

export async function askUser() {
    $('writer-name').value = '';

    const answer = await ask($('writer'));
    const name = answer?.user.trim();

    return name ? encodeURIComponent(name) : null;
}


$('person-what').addEventListener('change', showAct);
