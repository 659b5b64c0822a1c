"""What a collector serves at ``/metrics/{county}``: sites, lines, devices, kiosks, peripherals, open outages."""

from collections.abc import Sequence
from typing import Final

from exporter.registry.metric import Metric

_SITE = ("site",)
_DEVICE = ("site", "device")
_LINK = ("site", "link")

COUNTY_INFO: Final = Metric(
    "cuntong_county_info", "info", ("name",), "What the county is called; always 1.", "县的名称，恒为 1。",
)  # fmt: skip
TOWNSHIP_INFO: Final = Metric(
    "cuntong_township_info", "info", ("township", "name"),
    "What a township is called, by its 9 digits; always 1.", "乡镇的名称，按 9 位代码，恒为 1。",
)  # fmt: skip
CARRIER_INFO: Final = Metric(
    "cuntong_carrier_info", "info", ("carrier", "name"),
    "What a carrier is called; always 1.", "运营商的名称，恒为 1。",
)  # fmt: skip
SITE_INFO: Final = Metric(
    "cuntong_site_info",
    "info",
    ("site", "code", "township", "uplink", "type", "site_class", "lifecycle", "schedule", "monitored", "name"),
    "Identity of a site; always 1. Monitored is us, partner or nobody; schedule is always where no calendar is named.",
    "站点的身份信息，恒为 1；monitored 为由谁监测，未指定服务日历时 schedule 为 always。",
)
SITE_UP: Final = Metric(
    "cuntong_site_up", "gauge", ("site", "township", "uplink", "schedule"),
    "1 if the site answered, 0 if its silence is confirmed; absent while unknown.",
    "站点可达为 1，确认不可达为 0，未知则不出现。",
)  # fmt: skip
SITE_WORKING: Final = Metric(
    "cuntong_site_working", "gauge", _SITE,
    "1 if a citizen can be served: of each class of device at least one does its work.",
    "群众能办事为 1：每类终端至少一台正常。",
)  # fmt: skip
SITE_TROUBLE: Final = Metric(
    "cuntong_site_trouble_info", "info",
    ("site", "township", "uplink", "schedule", "type", "name", "dark", "maintenance"),
    "Identity of a site where something is wrong now: it is dark, has an open outage, or a device or line in trouble; "
    "always 1. Rules read it in place of the identities of all sites.",
    "目前有异常（中断、设备或线路故障）的站点的身份信息，恒为 1；供告警规则使用，免得扫描全部站点。",
    exceptions=True,
)  # fmt: skip
SITES: Final = Metric(
    "cuntong_sites", "gauge", ("township", "uplink", "schedule", "state"),
    "Sites with devices of ours by state: up, dark (its silence is confirmed), unknown.",
    "由我方监测的站点数，按状态 up、dark（确认不可达）、unknown 分列。",
)  # fmt: skip
SITE_LAST_SEEN: Final = Metric(
    "cuntong_site_last_seen_timestamp_seconds", "gauge", _SITE,
    "Unix time of the newest answer of any device of the site.", "站点最近一次应答的时间。",
)  # fmt: skip
SITE_MAINTENANCE: Final = Metric(
    "cuntong_site_maintenance", "gauge", _SITE,
    "1 while announced maintenance covers the site, else 0.", "站点处于计划维护中为 1，否则为 0。",
)  # fmt: skip
SCHEDULE_ACTIVE: Final = Metric(
    "cuntong_schedule_active", "gauge", ("schedule",),
    "1 while this service calendar of the county promises service, holidays and market days counted; always 1 for the "
    "schedule always.",
    "该服务日历当前处于服务时间为 1（已计节假日、调休与赶集日），否则为 0；always 恒为 1。",
)  # fmt: skip
LINK_INFO: Final = Metric(
    "cuntong_link_info", "info", ("site", "link", "role", "link_type", "carrier", "circuit", "origin"),
    "Identity of a line; always 1. A router's first line has the router's id.",
    "线路的身份信息，恒为 1；路由器首条线路以路由器编号为名。",
)  # fmt: skip
LINK_UP: Final = Metric(
    "cuntong_link_up", "gauge", (*_LINK, "role"),
    "1 if the router's port towards the uplink is operational, 0 if it is not although it is switched on.",
    "路由器上联端口正常为 1，已启用却中断为 0。",
)  # fmt: skip
LINK_STATE_CHANGES: Final = Metric(
    "cuntong_link_state_changes_total", "counter", _LINK,
    "Times that the port of a line went up or down, as polls and traps tell, since the collector started.",
    "线路端口通断变化次数（轮询与 Trap 所见，自采集端启动起）。",
)  # fmt: skip
LINK_SPEED: Final = Metric(
    "cuntong_link_speed_bytes", "gauge", _LINK, "Contracted rate in bytes per second.", "合同带宽（字节每秒）。"
)
LINK_CONTRACT_END: Final = Metric(
    "cuntong_link_contract_end_timestamp_seconds", "gauge", _LINK,
    "Unix time at which the contract of the line's circuit ends, as declared; absent where nobody wrote it down.",
    "线路合同到期时间；未登记则不出现。",
)  # fmt: skip
LINK_RECEIVE: Final = Metric(
    "cuntong_link_receive_bytes_total", "counter", _LINK, "Octets that came in over the line.", "线路接收字节数。"
)
LINK_TRANSMIT: Final = Metric(
    "cuntong_link_transmit_bytes_total", "counter", _LINK, "Octets that went out over the line.", "线路发送字节数。"
)
LINK_ERRORS: Final = Metric(
    "cuntong_link_errors_total", "counter", (*_LINK, "direction"),
    "Frames with errors.", "线路错误帧数。",
)  # fmt: skip
LINK_DISCARDS: Final = Metric(
    "cuntong_link_discards_total", "counter", (*_LINK, "direction"),
    "Frames discarded without an error.", "线路丢弃帧数。",
)  # fmt: skip
LINK_TROUBLE: Final = Metric(
    "cuntong_link_trouble", "gauge", (*_LINK, "trouble"),
    "Present while something is wrong with a line: primary_down (1), flapping (changes within an hour), packet_loss "
    "(share), latency (seconds), errors (frames a second), saturated (share of the contracted rate).",
    "线路异常时出现，值为异常程度：主线路中断、频繁通断（次/小时）、丢包率、时延（秒）、错帧（个/秒）、带宽占用率。",
    exceptions=True,
)  # fmt: skip
LINES: Final = Metric(
    "cuntong_lines", "gauge", ("carrier", "schedule"),
    "Primary lines of sites that are known to be up or dark, by operator.", "状态已知的站点的主线路数，按运营商分列。",
)  # fmt: skip
LINK_PROBE_RTT: Final = Metric(
    "cuntong_link_probe_rtt_seconds", "gauge", _LINK,
    "Round trip of the newest ICMP echo from the collector over the line: to its own address where a router has "
    "several, else to the router; absent if it was lost.",
    "采集端经该线路最近一次 ICMP 回显的往返时间（多线路路由器测各线路自身地址）；丢失则不出现。",
)  # fmt: skip
LINK_PROBE_LOSS: Final = Metric(
    "cuntong_link_probe_loss_ratio", "gauge", _LINK,
    "ICMP echoes over the line without an answer, of the last 20; 0 to 1.",
    "最近 20 次 ICMP 回显的丢失率。",
)  # fmt: skip
DEVICE_INFO: Final = Metric(
    "cuntong_device_info", "info",
    ("site", "device", "class", "vendor", "model", "os_version", "serial", "profile"),
    "Identity of a device as it answered, else as declared; always 1.", "设备的身份信息，恒为 1。",
)  # fmt: skip
DEVICE_UP: Final = Metric(
    "cuntong_device_up", "gauge", (*_DEVICE, "class"),
    "1 if the device answered its newest poll, 0 if its silence is confirmed.", "设备应答为 1，确认无应答为 0。",
)  # fmt: skip
DEVICE_PROMISED: Final = Metric(
    "cuntong_device_service_promised", "gauge", _DEVICE,
    "1 while the device's service hours, or else its site's, promise service; always 1 for what carries others.",
    "设备处于服务时间内为 1，否则为 0。",
)  # fmt: skip
DEVICE_LAST_POLL: Final = Metric(
    "cuntong_device_last_poll_timestamp_seconds", "gauge", _DEVICE,
    "Unix time of the newest finished poll; values are cached until the next.", "最近一次轮询完成的时间。",
)  # fmt: skip
DEVICE_BOOT: Final = Metric(
    "cuntong_device_boot_timestamp_seconds", "gauge", _DEVICE,
    "Unix time at which the device started, by the largest plausible of its clocks.", "设备启动时间。",
)  # fmt: skip
DEVICE_CLOCK: Final = Metric(
    "cuntong_device_clock_offset_seconds", "gauge", _DEVICE,
    "The device's clock minus the collector's at the newest poll; absent if it does not tell its time zone.",
    "设备时钟与采集端之差；设备不报告时区则不出现。",
)  # fmt: skip
DEVICE_CPU: Final = Metric(
    "cuntong_device_cpu_usage_ratio", "gauge", _DEVICE, "Busiest processor, 0 to 1.", "最忙的处理器使用率。"
)
DEVICE_MEMORY: Final = Metric(
    "cuntong_device_memory_usage_ratio", "gauge", _DEVICE, "Fullest memory pool, 0 to 1.", "内存使用率。"
)
DEVICE_TEMPERATURE: Final = Metric(
    "cuntong_device_temperature_celsius", "gauge", (*_DEVICE, "sensor"), "Temperature.", "温度（摄氏度）。"
)
DEVICE_TROUBLE: Final = Metric(
    "cuntong_device_trouble", "gauge", (*_DEVICE, "class", "trouble", "part", "answers", "promised"),
    "Present while something is wrong with a device: kiosk_app, peripheral, printer_fault (1), disk_full, supply_low "
    "(share left), temperature (degrees), clock (seconds off), restarts (within six hours). Answers is no for what a "
    "device said before it fell silent; promised is yes within its service hours.",
    "设备异常时出现，值为异常程度；answers 为 no 表示设备已无应答、此为其最后所报；promised 为 yes 表示处于服务时间。",
    exceptions=True,
)  # fmt: skip
KIOSK_APP_UP: Final = Metric(
    "cuntong_kiosk_app_up", "gauge", _DEVICE,
    "1 if the kiosk's service program answers its health check.", "自助终端的服务程序正常为 1。",
)  # fmt: skip
KIOSK_FS_SIZE: Final = Metric(
    "cuntong_kiosk_filesystem_size_bytes", "gauge", (*_DEVICE, "volume"), "Size of a volume.", "磁盘容量。"
)
KIOSK_FS_AVAIL: Final = Metric(
    "cuntong_kiosk_filesystem_avail_bytes", "gauge", (*_DEVICE, "volume"), "Room left on a volume.", "磁盘剩余。"
)
PERIPHERAL_UP: Final = Metric(
    "cuntong_peripheral_up", "gauge", (*_DEVICE, "peripheral"),
    "1 if the kiosk finds the peripheral in order.", "外设正常为 1。",
)  # fmt: skip
PERIPHERAL_FAULT: Final = Metric(
    "cuntong_peripheral_fault", "gauge", (*_DEVICE, "fault"),
    "1 while a printer reports this fault; absent otherwise.", "打印机报告的故障，存在时为 1。",
)  # fmt: skip
PRINTER_SUPPLY: Final = Metric(
    "cuntong_printer_supply_ratio", "gauge", (*_DEVICE, "supply"),
    "What is left of a supply, 0 to 1; absent if the printer cannot tell.", "耗材剩余比例。",
)  # fmt: skip
PRINTER_PAPER: Final = Metric(
    "cuntong_printer_paper_ratio", "gauge", (*_DEVICE, "tray"), "What is left in a tray, 0 to 1.", "纸盒剩余比例。"
)
PRINTER_PAGES: Final = Metric(
    "cuntong_printer_pages_total", "counter", _DEVICE, "Pages printed in the printer's life.", "累计打印页数。"
)
OUTAGE_OPEN: Final = Metric(
    "cuntong_outage_open_timestamp_seconds", "gauge", ("scope", "node", "cause", "site", "township", "planned"),
    "Unix time since when an outage is open. Cause is the first verdict on it, and stays while it is open: power, lan, "
    "cpe, line, aggregation, device or unknown. Site is that of the node; planned is yes while announced maintenance "
    "covers it, else no.",
    "未恢复的中断开始时间；cause 为首次判定的原因，恢复前不变；planned 表示是否在计划维护内。",
)  # fmt: skip
OUTAGE_SITES: Final = Metric(
    "cuntong_outage_sites", "gauge", ("scope", "node"),
    "Sites that an open outage keeps dark now, its own counted; none where a single device failed.",
    "未恢复的中断目前影响的站点数（含自身）；单台设备故障不计。",
)  # fmt: skip
OUTAGE_LINES: Final = Metric(
    "cuntong_outage_lines", "gauge", ("scope", "node", "carrier"),
    "Primary lines of the site at the root of an open outage, by operator.", "中断根节点站点的主线路数，按运营商分列。",
)  # fmt: skip
OUTAGE_PROMISED: Final = Metric(
    "cuntong_outage_service_promised", "gauge", ("scope", "node", "class"),
    "1 while what an open outage took away is promised: of a device by its own hours, of a site while any of its "
    "terminals promises service, of a node with sites beneath it always; else 0. Class is a device's, empty for sites.",
    "中断所影响的服务当前处于服务时间内为 1，否则为 0；汇聚节点恒为 1。",
)  # fmt: skip

COUNTY_METRICS: Final[Sequence[Metric]] = (
    COUNTY_INFO, TOWNSHIP_INFO, CARRIER_INFO,
    SITE_INFO, SITE_UP, SITE_WORKING, SITE_LAST_SEEN, SITE_MAINTENANCE, SITE_TROUBLE, SITES, SCHEDULE_ACTIVE,
    LINK_INFO, LINK_UP, LINK_STATE_CHANGES, LINK_SPEED, LINK_CONTRACT_END, LINK_RECEIVE, LINK_TRANSMIT,
    LINK_ERRORS, LINK_DISCARDS,
    LINK_PROBE_RTT, LINK_PROBE_LOSS, LINK_TROUBLE, LINES,
    DEVICE_INFO, DEVICE_UP, DEVICE_PROMISED, DEVICE_LAST_POLL, DEVICE_TROUBLE,
    DEVICE_BOOT, DEVICE_CLOCK, DEVICE_CPU, DEVICE_MEMORY, DEVICE_TEMPERATURE,
    KIOSK_APP_UP, KIOSK_FS_SIZE, KIOSK_FS_AVAIL, PERIPHERAL_UP, PERIPHERAL_FAULT,
    PRINTER_SUPPLY, PRINTER_PAPER, PRINTER_PAGES,
    OUTAGE_OPEN, OUTAGE_SITES, OUTAGE_LINES, OUTAGE_PROMISED,
)  # fmt: skip
