"""What a journey asks of dbusmock's notification service: is it there, and a click on a notification."""

import sys

import dbus

service = dbus.SessionBus().get_object("org.freedesktop.Notifications", "/org/freedesktop/Notifications")

if sys.argv[1] == "wait":
    dbus.Interface(service, "org.freedesktop.Notifications").GetCapabilities()
elif sys.argv[1] == "click":
    mock = dbus.Interface(service, "org.freedesktop.DBus.Mock")
    number = dbus.UInt32(int(sys.argv[2]))
    mock.EmitSignal("org.freedesktop.Notifications", "ActionInvoked", "us", [number, "default"])
    mock.EmitSignal("org.freedesktop.Notifications", "NotificationClosed", "uu", [number, dbus.UInt32(2)])
