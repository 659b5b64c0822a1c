"""How each platform is spoken to: typed rules, one module a platform."""

from rollout.drivers import comware, frr, rgos, vrp
from rollout.drivers.driver import Driver
from rollout.platform import Platform

DRIVERS: dict[Platform, Driver] = {
    Platform.VRP: vrp.DRIVER,
    Platform.COMWARE: comware.DRIVER,
    Platform.RGOS: rgos.DRIVER,
    Platform.FRR: frr.DRIVER,
}
