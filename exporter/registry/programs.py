"""What collectors and the API say of themselves at ``/metrics``."""

from collections.abc import Sequence
from typing import Final

from exporter.registry.metric import Metric

COLLECTOR_CYCLE: Final = Metric(
    "cuntong_collector_cycle_timestamp_seconds", "gauge", (),
    "Unix time at which every device had been asked once more.", "最近一轮轮询完成的时间。",
)  # fmt: skip
COLLECTOR_DURATION: Final = Metric(
    "cuntong_collector_cycle_duration_seconds", "gauge", (),
    "How long that cycle took, spread over the interval as it is.", "最近一轮轮询的时长。",
)  # fmt: skip
COLLECTOR_INTERVAL: Final = Metric(
    "cuntong_collector_interval_seconds", "gauge", (),
    "Time between two polls of one device, as it is set.", "同一设备两次轮询的设定间隔。",
)  # fmt: skip
COLLECTOR_FIRST_SWEEP: Final = Metric(
    "cuntong_collector_first_sweep_seconds", "gauge", (),
    "From the start until the last device that answers had answered once.", "启动后首轮轮询的时长。",
)  # fmt: skip
COLLECTOR_WATCHING: Final = Metric(
    "cuntong_collector_watching", "gauge", (),
    "1 while devices are asked when they are due, else 0: time in which the collector lags proves nothing.",
    "轮询按时进行为 1，落后时为 0（落后期间的数据不作证明）。",
)  # fmt: skip
COLLECTOR_TARGETS: Final = Metric(
    "cuntong_collector_targets", "gauge", ("class", "state"),
    "Devices by class and state of their polls.", "按类别和状态统计的设备数。",
)  # fmt: skip
COLLECTOR_POLLS: Final = Metric(
    "cuntong_collector_polls_total", "counter", ("result",),
    "Finished polls of devices: answered, refused (it answers and will not talk to us) or silent.",
    "完成的轮询次数：应答、拒绝、无应答。",
)  # fmt: skip
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
COLLECTOR_PLATFORM_STATUS: Final = Metric(
    "cuntong_collector_platform_http_status", "gauge", ("platform", "host", "port"),
    "Status code of a platform's newest answer to the collector; absent without one.",
    "平台对采集端最近一次应答的 HTTP 状态码，无应答则不出现。",
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
BUILD_INFO: Final = Metric(
    "cuntong_build_info", "info", ("version", "python_version"),
    "What is running; always 1.", "运行的版本，恒为 1。",
)  # fmt: skip

COLLECTOR_METRICS: Final[Sequence[Metric]] = (
    COLLECTOR_CYCLE, COLLECTOR_DURATION, COLLECTOR_INTERVAL, COLLECTOR_FIRST_SWEEP, COLLECTOR_WATCHING,
    COLLECTOR_TARGETS, COLLECTOR_POLLS, COLLECTOR_DATAGRAMS, COLLECTOR_PATIENCE, COLLECTOR_PLATFORM,
    COLLECTOR_PLATFORM_STATUS,
    COLLECTOR_TRAPS, COLLECTOR_TRAP_KINDS, COLLECTOR_QUEUE, COLLECTOR_PENDING, BUILD_INFO,
)  # fmt: skip
"""What a collector serves at ``/metrics``, beside what the kernel says of its process."""

API_REQUESTS: Final = Metric(
    "cuntong_api_request_duration_seconds", "histogram", ("method", "route", "status_class"),
    "Time from a request's arrival to the end of its answer. Route is the template, never the path that was asked.",
    "请求处理时长；route 为路由模板。",
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0),
)  # fmt: skip

PROCESS_METRICS: Final[Sequence[Metric]] = (
    Metric("process_virtual_memory_bytes", "gauge", (), "Virtual memory size.", "虚拟内存大小。"),
    Metric("process_resident_memory_bytes", "gauge", (), "Resident memory size.", "常驻内存大小。"),
    Metric("process_start_time_seconds", "gauge", (), "Unix time at which the process started.", "进程启动时间。"),
    Metric("process_cpu_seconds_total", "counter", (), "Processor time spent.", "累计处理器时间。"),
    Metric("process_open_fds", "gauge", (), "Open file descriptors.", "已打开的文件描述符数。"),
    Metric("process_max_fds", "gauge", (), "File descriptors that may be open.", "文件描述符上限。"),
)
"""What the kernel says of a program, by the names that every Prometheus client gives it."""
