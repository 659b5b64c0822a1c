"""Every metric of the project, declared once: name, type, labels, meaning. Nothing else can be exported.

Names, labels and rules follow Prometheus' conventions: base units, ratios 0 to 1, the Unix time of an event and never
an age, ids in labels and names only on ``_info``. ``province`` and ``county`` are labels of the scrape target and are
never repeated inside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """``help_zh`` is shown to Chinese readers; the exposition carries ``help``."""

    name: str
    type: Literal["gauge", "counter"]
    labels: tuple[str, ...]
    help: str
    help_zh: str

    def head(self) -> str:
        """The HELP and TYPE lines of the text format."""
        return f"# HELP {self.name} {self.help}\n# TYPE {self.name} {self.type}\n"


_SITE = ("site",)
_DEVICE = ("site", "device")
_LINK = ("site", "link")

SITE_INFO: Final = Metric(
    "cuntong_site_info",
    "gauge",
    ("site", "code", "township", "uplink", "type", "site_class", "lifecycle", "schedule", "name"),
    "Identity of a site; always 1.",
    "站点的身份信息，恒为 1。",
)
SITE_UP: Final = Metric(
    "cuntong_site_up", "gauge", ("site", "township", "uplink"),
    "1 if the site answered, 0 if its silence is confirmed; absent while unknown.",
    "站点可达为 1，确认不可达为 0，未知则不出现。",
)  # fmt: skip
SITE_WORKING: Final = Metric(
    "cuntong_site_working", "gauge", _SITE,
    "1 if a citizen can be served: of each class of device at least one does its work.",
    "群众能办事为 1：每类终端至少一台正常。",
)  # fmt: skip
SITE_LAST_SEEN: Final = Metric(
    "cuntong_site_last_seen_timestamp_seconds", "gauge", _SITE,
    "Unix time of the newest answer of any device of the site.", "站点最近一次应答的时间。",
)  # fmt: skip
SITE_MAINTENANCE: Final = Metric(
    "cuntong_site_maintenance", "gauge", _SITE,
    "1 while announced maintenance covers the site, else 0.", "站点处于计划维护中为 1，否则为 0。",
)  # fmt: skip
LINK_INFO: Final = Metric(
    "cuntong_link_info", "gauge", ("site", "link", "role", "link_type", "carrier", "circuit", "origin"),
    "Identity of a line; always 1.", "线路的身份信息，恒为 1。",
)  # fmt: skip
LINK_UP: Final = Metric(
    "cuntong_link_up", "gauge", _LINK,
    "1 if the router's port towards the uplink is operational.", "路由器上联端口正常为 1。",
)  # fmt: skip
LINK_SPEED: Final = Metric(
    "cuntong_link_speed_bytes", "gauge", _LINK, "Contracted rate in bytes per second.", "合同带宽（字节每秒）。"
)
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
DEVICE_INFO: Final = Metric(
    "cuntong_device_info", "gauge",
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
DEVICE_CPU: Final = Metric(
    "cuntong_device_cpu_usage_ratio", "gauge", _DEVICE, "Busiest processor, 0 to 1.", "最忙的处理器使用率。"
)
DEVICE_MEMORY: Final = Metric(
    "cuntong_device_memory_usage_ratio", "gauge", _DEVICE, "Fullest memory pool, 0 to 1.", "内存使用率。"
)
DEVICE_PING_RTT: Final = Metric(
    "cuntong_device_ping_rtt_seconds", "gauge", _DEVICE,
    "Round trip of the newest ICMP echo from the collector; absent if it was lost.", "最近一次 ICMP 回显的往返时间。",
)  # fmt: skip
DEVICE_PING_LOSS: Final = Metric(
    "cuntong_device_ping_loss_ratio", "gauge", _DEVICE,
    "ICMP echoes without an answer among the last 20, 0 to 1.", "最近 20 次 ICMP 回显的丢失率。",
)  # fmt: skip
DEVICE_TEMPERATURE: Final = Metric(
    "cuntong_device_temperature_celsius", "gauge", (*_DEVICE, "sensor"), "Temperature.", "温度（摄氏度）。"
)
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
    "cuntong_outage_open_timestamp_seconds", "gauge", ("scope", "node", "cause"),
    "Unix time since when an outage is open. Cause is the first verdict on it, and stays while it is open: power, lan, "
    "cpe, line, aggregation, device or unknown.",
    "未恢复的中断开始时间；cause 为首次判定的原因，恢复前不变。",
)  # fmt: skip

COUNTY_METRICS: Final[Sequence[Metric]] = (
    SITE_INFO, SITE_UP, SITE_WORKING, SITE_LAST_SEEN, SITE_MAINTENANCE,
    LINK_INFO, LINK_UP, LINK_SPEED, LINK_RECEIVE, LINK_TRANSMIT, LINK_ERRORS, LINK_DISCARDS,
    DEVICE_INFO, DEVICE_UP, DEVICE_PROMISED, DEVICE_LAST_POLL,
    DEVICE_BOOT, DEVICE_CPU, DEVICE_MEMORY, DEVICE_TEMPERATURE,
    DEVICE_PING_RTT, DEVICE_PING_LOSS,
    KIOSK_APP_UP, KIOSK_FS_SIZE, KIOSK_FS_AVAIL, PERIPHERAL_UP, PERIPHERAL_FAULT,
    PRINTER_SUPPLY, PRINTER_PAPER, PRINTER_PAGES,
    OUTAGE_OPEN,
)  # fmt: skip
"""What a collector serves at ``/metrics/{county}``."""

COVERAGE_VILLAGES: Final = Metric(
    "cuntong_coverage_villages", "gauge", ("requirement", "state"),
    "Villages in each state of a requirement; the states are disjoint.", "各状态的村（社区）数，互不重叠。",
)  # fmt: skip
COVERAGE_CLAIMED: Final = Metric(
    "cuntong_coverage_claimed_villages", "gauge", ("requirement",),
    "Villages whose claim says connected, measured or not.", "填报为已接通的村（社区）数。",
)  # fmt: skip
COVERAGE_SNAPSHOT: Final = Metric(
    "cuntong_coverage_snapshot_timestamp_seconds", "gauge", (),
    "Unix time of the newest rollup.", "最近一次汇总的时间。",
)  # fmt: skip
COLLECTOR_CYCLE: Final = Metric(
    "cuntong_collector_cycle_timestamp_seconds", "gauge", (),
    "Unix time at which every device had been asked once more.", "最近一轮轮询完成的时间。",
)  # fmt: skip
COLLECTOR_DURATION: Final = Metric(
    "cuntong_collector_cycle_duration_seconds", "gauge", (),
    "How long that cycle took, spread over the interval as it is.", "最近一轮轮询的时长。",
)  # fmt: skip
COLLECTOR_FIRST_SWEEP: Final = Metric(
    "cuntong_collector_first_sweep_seconds", "gauge", (),
    "From the start until the last device that answers had answered once.", "启动后首轮轮询的时长。",
)  # fmt: skip
COLLECTOR_TARGETS: Final = Metric(
    "cuntong_collector_targets", "gauge", ("class", "state"),
    "Devices by class and state of their polls.", "按类别和状态统计的设备数。",
)  # fmt: skip
COLLECTOR_POLLS: Final = Metric(
    "cuntong_collector_polls_total", "counter", ("result",), "Finished polls of devices.", "完成的轮询次数。"
)
COLLECTOR_DATAGRAMS: Final = Metric(
    "cuntong_collector_snmp_datagrams_total", "counter", ("kind",),
    "SNMP datagrams: sent, retried, answered, and replies ignored as late, foreign or garbled.", "SNMP 报文数。",
)  # fmt: skip
COLLECTOR_PATIENCE: Final = Metric(
    "cuntong_collector_snmp_timeout_seconds", "gauge", ("share",),
    "Patience that suffices for this share of devices; it follows each one's round trip.",
    "按设备占比统计的询问超时时间。",
)  # fmt: skip
COLLECTOR_PLATFORM: Final = Metric(
    "cuntong_collector_platform_reachable", "gauge", ("platform", "host", "port"),
    "1 if a platform accepts connections of the collector; says nothing of any site.",
    "采集端能连通平台为 1，不代表任何站点可用。",
)  # fmt: skip
COLLECTOR_TRAPS: Final = Metric(
    "cuntong_collector_traps_total", "counter", ("result",),
    "Datagrams at the trap port by what became of them; their sum is what was received.", "收到的 Trap 报文数。",
)  # fmt: skip
COLLECTOR_TRAP_KINDS: Final = Metric(
    "cuntong_collector_trap_kinds_total", "counter", ("kind",),
    "Accepted traps by kind, a vendor's own by its enterprise number.", "按类型统计的已接受 Trap 数。",
)  # fmt: skip
COLLECTOR_QUEUE: Final = Metric(
    "cuntong_collector_queue_length", "gauge", (),
    "Devices that are due and held back by pacing.", "因限速等待的设备数。",
)  # fmt: skip
COLLECTOR_PENDING: Final = Metric(
    "cuntong_collector_journal_pending", "gauge", (),
    "Facts that the ledger has not taken yet.", "尚未写入台账的事实数。",
)  # fmt: skip

OWN_METRICS: Final[Sequence[Metric]] = (
    COVERAGE_VILLAGES, COVERAGE_CLAIMED, COVERAGE_SNAPSHOT,
    COLLECTOR_CYCLE, COLLECTOR_DURATION, COLLECTOR_FIRST_SWEEP, COLLECTOR_TARGETS, COLLECTOR_POLLS,
    COLLECTOR_DATAGRAMS, COLLECTOR_PATIENCE, COLLECTOR_PLATFORM,
    COLLECTOR_TRAPS, COLLECTOR_TRAP_KINDS, COLLECTOR_QUEUE, COLLECTOR_PENDING,
)  # fmt: skip
"""What the programs say of themselves, through prometheus-client."""


def escape(value: str) -> str:
    """A label value as the text format wants it."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def series(metric: Metric, *values: str) -> str:
    """``name{label="value",...} `` up to the sample's value.

    Raises:
        ValueError: not as many values as the metric has labels.
    """
    labels = ",".join(f'{label}="{escape(value)}"' for label, value in zip(metric.labels, values, strict=True))
    return f"{metric.name}{{{labels}}} " if labels else f"{metric.name} "
