"""What a shift lead keeps as data: agreements on mutual aid. The plans have a file of their own."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.desk import LAPTOP
from tests.browser.people import seated
from tests.browser.site import DemoSite

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=20_000)


def test_an_agreement_is_noted_and_ended(site: DemoSite, chromium: Browser) -> None:
    with seated(chromium, site, site.staff("shift_lead"), "/admin#agreements", viewport=LAPTOP) as lead:
        page = lead.page
        top = lead.api("GET", "/api/areas")["items"][0]
        while len(rows := lead.api("GET", f"/api/areas?parent={top['id']}")["items"]) < 2:
            top = rows[0]
        page.get_by_role("button", name="登记协议").click()
        dialog = page.get_by_role("dialog")
        for label, area in zip(("借出区域", "借入区域"), rows[:2], strict=True):
            dialog.get_by_role("combobox", name=label).fill(area["name"])
            dialog.get_by_role("option").filter(has_text=area["name"]).first.click()
        dialog.get_by_role("checkbox", name="网格员").check()
        dialog.get_by_label("说明").fill("区政办〔2026〕7号")
        dialog.get_by_role("button", name="登记", exact=True).click()
        expect(dialog).to_be_hidden()
        line = page.get_by_role("row").filter(has_text="区政办〔2026〕7号")
        expect(line).to_contain_text(rows[0]["name"])
        (found,) = [row for row in lead.api("GET", "/api/agreements")["items"] if row["note"]]
        assert (found["lender_area_id"], found["borrower_area_id"]) == (rows[0]["id"], rows[1]["id"])
        assert found["unit_kinds"] == ["grid_worker"]
        line.get_by_role("button", name="终止").click()
        dialog.get_by_role("button", name="终止").click()
        expect(line).to_be_hidden()
        assert lead.api("GET", "/api/agreements")["items"] == []
        assert lead.faults == []
