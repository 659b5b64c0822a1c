"""What the API serves at ``/metrics`` from the ledger, for all its counties: coverage, and changes of devices."""

from collections.abc import Sequence
from typing import Final

from exporter.registry.metric import Metric

COVERAGE_VILLAGES: Final = Metric(
    "cuntong_coverage_villages", "gauge", ("requirement", "state"),
    "Villages in each state of a requirement; the states are disjoint.", "各状态的村（社区）数，互不重叠。",
    by_county=True,
)  # fmt: skip
COVERAGE_CLAIMED: Final = Metric(
    "cuntong_coverage_claimed_villages", "gauge", ("requirement",),
    "Villages whose claim says connected, measured or not.", "填报为已接通的村（社区）数。",
    by_county=True,
)  # fmt: skip
COVERAGE_CONTRADICTIONS: Final = Metric(
    "cuntong_coverage_contradictions", "gauge", ("requirement",),
    "Sites whose claim and measurement disagree.", "填报与实测不符的站点数。",
    by_county=True,
)  # fmt: skip
COVERAGE_OLDEST: Final = Metric(
    "cuntong_coverage_evidence_oldest_timestamp_seconds", "gauge", ("requirement",),
    "Unix time of the oldest proof on which a village is counted as covered; absent where none is.",
    "计为已覆盖的村中最旧证据的时间；没有已覆盖的村则不出现。",
    by_county=True,
)  # fmt: skip
COVERAGE_SNAPSHOT: Final = Metric(
    "cuntong_coverage_snapshot_timestamp_seconds", "gauge", (),
    "Unix time of the newest rollup.", "最近一次汇总的时间。",
)  # fmt: skip
MILESTONE_INFO: Final = Metric(
    "cuntong_coverage_milestone_info", "info", ("milestone", "name"),
    "What a milestone is called; always 1.", "里程碑的名称，恒为 1。",
)  # fmt: skip
MILESTONE_SITES: Final = Metric(
    "cuntong_coverage_milestone_sites", "gauge", ("milestone", "state"),
    "Sites that a milestone asks, by state: met or missing.", "里程碑涉及的站点数：已达到、未达到。",
    by_county=True,
)  # fmt: skip
MILESTONE_TARGET: Final = Metric(
    "cuntong_coverage_target_ratio", "gauge", ("milestone", "requirement"),
    "Share of its sites that must meet a milestone, 0 to 1. Requirement is the one that its conditions prove, empty "
    "where they ask for claims alone.",
    "里程碑要求达到的站点比例；requirement 为其条件所对应的要求。",
    by_county=True,
)  # fmt: skip
MILESTONE_DEADLINE: Final = Metric(
    "cuntong_coverage_milestone_deadline_timestamp_seconds", "gauge", ("milestone",),
    "Unix time at which the last day ends that counts for a milestone, in China.", "里程碑最后期限（当日结束时刻）。",
)  # fmt: skip
PROVISION_RUNS: Final = Metric(
    "cuntong_provision_runs_total", "counter", ("outcome",),
    "Runs of plans that ended: done, or stopped before the last wave.", "已结束的下发任务数：完成、中止。",
)  # fmt: skip
PROVISION_DURATION: Final = Metric(
    "cuntong_provision_run_duration_seconds", "histogram", ("outcome",),
    "From the start of a run to its end.", "下发任务时长。",
    buckets=(60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 21600.0),
)  # fmt: skip
PROVISION_LAST: Final = Metric(
    "cuntong_provision_last_end_timestamp_seconds", "gauge", ("outcome",),
    "Unix time at which the newest run of this outcome ended.", "最近一次该结果的下发任务结束时间。",
)  # fmt: skip
PROVISION_IN_PROGRESS: Final = Metric(
    "cuntong_provision_runs_in_progress", "gauge", ("state",),
    "Runs that have not ended: running, pausing, stopping, or abandoned by a controller that is gone.",
    "未结束的下发任务数；abandoned 为控制端已失联。",
)  # fmt: skip
PROVISION_CHANGES: Final = Metric(
    "cuntong_provision_device_changes_total", "counter", ("state",),
    "Changes of devices that came to an end: confirmed, rolled_back, lost, needs_visit, stale or failed.",
    "设备变更结果数：已确认、已回退、失联、需现场处理、已过期、失败。",
    by_county=True,
)  # fmt: skip
PROVISION_DRIFTED: Final = Metric(
    "cuntong_provision_drifted_devices", "gauge", ("class",),
    "Devices whose newest backup differs from what our last change left behind.",
    "最新备份与我方上次变更不一致的设备数。",
    by_county=True,
)  # fmt: skip
PROVISION_UNBACKED: Final = Metric(
    "cuntong_provision_devices_without_backup", "gauge", (),
    "Routers of ours of which no configuration was ever kept.", "从未备份过配置的路由器数。",
    by_county=True,
)  # fmt: skip
CONFIG_BACKUP: Final = Metric(
    "cuntong_device_config_backup_timestamp_seconds", "gauge", ("site", "device"),
    "Unix time of the newest backup of a device's configuration; absent where there is none.",
    "设备配置最近一次备份的时间；从未备份则不出现。",
    by_county=True,
)  # fmt: skip

NOTIFICATIONS: Final = Metric(
    "cuntong_notifications_total", "counter", ("receiver", "outcome"),
    "Tries to deliver a message to a channel: sent, unreachable, refused (it answers and does not take it), given_up.",
    "向各通知渠道投递消息的次数：已送达、不可达、被拒绝、已放弃。",
)  # fmt: skip
NOTIFICATIONS_WAITING: Final = Metric(
    "cuntong_notifications_waiting", "gauge", ("receiver",),
    "Messages that a channel has not taken yet.", "尚未送达的消息数。",
)  # fmt: skip
NOTIFICATIONS_OLDEST: Final = Metric(
    "cuntong_notifications_oldest_timestamp_seconds", "gauge", ("receiver",),
    "Unix time since which the oldest message has waited for a channel; absent where none waits.",
    "最早一条未送达消息的排队时间；没有则不出现。",
)  # fmt: skip
ALERTS_HEARD: Final = Metric(
    "cuntong_alerts_heard_total", "counter", ("status", "explained"),
    "Alerts that Alertmanager told of, by whether an outage of the ledger explains them (yes, no).",
    "收到的告警数；explained 表示台账中有中断能够解释。",
)  # fmt: skip
ALERTING_HEARTBEAT: Final = Metric(
    "cuntong_alerting_heartbeat_timestamp_seconds", "gauge", (),
    "Unix time at which Alertmanager's heartbeat was heard last; absent until it is heard.",
    "最近一次收到告警链路心跳的时间；从未收到则不出现。",
)  # fmt: skip

WORK_DUE: Final = Metric(
    "cuntong_work_due_timestamp_seconds", "gauge", ("work",),
    "Unix time at which a piece of timed work is due next; in the past while nobody has done it.",
    "定时任务下一次到期的时间；早于当前时间表示到期未做。",
)  # fmt: skip
WORK_FAILED: Final = Metric(
    "cuntong_work_failed", "gauge", ("work",),
    "1 if a piece of timed work failed the last time, else 0; absent until it was tried.",
    "定时任务最近一次失败为 1，否则为 0；未执行过则不出现。",
)  # fmt: skip
WORK_DONE: Final = Metric(
    "cuntong_work_last_success_timestamp_seconds", "gauge", ("work",),
    "Unix time at which a piece of timed work was done last; absent until it was.",
    "定时任务最近一次成功的时间；从未成功则不出现。",
)  # fmt: skip

LEDGER_METRICS: Final[Sequence[Metric]] = (
    COVERAGE_VILLAGES, COVERAGE_CLAIMED, COVERAGE_CONTRADICTIONS, COVERAGE_OLDEST, COVERAGE_SNAPSHOT,
    MILESTONE_INFO, MILESTONE_SITES, MILESTONE_TARGET, MILESTONE_DEADLINE,
    PROVISION_RUNS, PROVISION_DURATION, PROVISION_LAST, PROVISION_IN_PROGRESS, PROVISION_CHANGES,
    PROVISION_DRIFTED, PROVISION_UNBACKED, CONFIG_BACKUP,
    NOTIFICATIONS, NOTIFICATIONS_WAITING, NOTIFICATIONS_OLDEST, ALERTS_HEARD, ALERTING_HEARTBEAT,
    WORK_DUE, WORK_FAILED, WORK_DONE,
)  # fmt: skip
