"""A panel that shows tray icons: `serve` is the panel, the other words ask what it would show and press an entry."""

import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

WATCHER = "org.kde.StatusNotifierWatcher"
ITEM = "org.kde.StatusNotifierItem"
PROPERTIES = "org.freedesktop.DBus.Properties"
MENU = "com.canonical.dbusmenu"

dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.SessionBus()


class Watcher(dbus.service.Object):
    """Items register here."""

    items = []

    @dbus.service.method(WATCHER, in_signature="s", sender_keyword="sender")
    def RegisterStatusNotifierItem(self, service, sender=None):
        place = (sender, service) if service.startswith("/") else (service, "/StatusNotifierItem")
        self.items.append("%s %s" % place)

    @dbus.service.method(PROPERTIES, in_signature="ss", out_signature="v")
    def Get(self, _interface, name):
        if name == "RegisteredStatusNotifierItems":
            return dbus.Array(self.items, signature="s")
        return dbus.Boolean(name == "IsStatusNotifierHostRegistered")

    @dbus.service.method(PROPERTIES, in_signature="s", out_signature="a{sv}")
    def GetAll(self, _interface):
        return {
            "IsStatusNotifierHostRegistered": dbus.Boolean(True),
            "RegisteredStatusNotifierItems": dbus.Array(self.items, signature="s"),
        }


def item():
    watcher = dbus.Interface(bus.get_object(WATCHER, "/StatusNotifierWatcher"), PROPERTIES)
    owner, path = watcher.Get(WATCHER, "RegisteredStatusNotifierItems")[-1].split(" ")
    return owner, dbus.Interface(bus.get_object(owner, path), PROPERTIES)


def menu():
    owner, properties = item()
    return dbus.Interface(bus.get_object(owner, properties.Get(ITEM, "Menu")), MENU)


def entries(node):
    number, properties, children = node
    yield int(number), str(properties.get("label", ""))
    for child in children:
        yield from entries(child)


if sys.argv[1] == "serve":
    name = dbus.service.BusName(WATCHER, bus)
    panel = Watcher(bus, "/StatusNotifierWatcher")
    print("ready", flush=True)
    GLib.MainLoop().run()
elif sys.argv[1] == "menu":
    print("\n".join(label for _, label in entries(menu().GetLayout(0, -1, [])[1]) if label))
elif sys.argv[1] == "icon":
    with open(item()[1].Get(ITEM, "IconName"), "rb") as picture:
        sys.stdout.buffer.write(picture.read())
elif sys.argv[1] == "press":
    press = menu()
    number = next(number for number, label in entries(press.GetLayout(0, -1, [])[1]) if label.startswith(sys.argv[2]))
    press.Event(number, "clicked", dbus.Int32(0, variant_level=1), 0)
