#!/bin/sh
# Shuts down while the battery still holds: on battery and low, as the UPS itself judges. Mains power starts the kiosk
# again (the BIOS must say so: power on after outage).
status=$(upsc kiosk@localhost ups.status 2>/dev/null) || exit 0
case " $status " in
  *" OB "*) ;;
  *) exit 0 ;;
esac
case " $status " in
  *" LB "*) exec systemctl poweroff ;;
esac
