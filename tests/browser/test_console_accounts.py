"""Accounts as people use them: passwords, sessions, grants, tokens, and who looked at what."""

from __future__ import annotations

from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.people import seated
from tests.browser.site import DemoSite

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=20_000)
LOGIN = f"new{uuid4().hex[:8]}"
FIRST, SECOND = "a long first sentence", "a longer second sentence"


def test_an_account_from_its_making_to_its_end(site: DemoSite, chromium: Browser) -> None:
    with seated(chromium, site, site.staff("administrator"), "/admin") as desk:
        page = desk.page
        page.get_by_role("button", name="新建账号").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("登录名").fill(LOGIN)
        dialog.get_by_label("姓名").fill("新来的")
        dialog.get_by_role("button", name="建立").click()
        link = page.locator(".secret").inner_text()
        page.get_by_role("dialog").get_by_role("button", name="关闭").last.click()
        card = page.locator("article.card")
        card.get_by_label("角色").select_option(label="坐席员")
        card.get_by_role("button", name="授予").click()
        expect(card.get_by_text("坐席员 ·")).to_be_visible()
        _set_and_change_password(chromium, site, link)
        _revoke_and_disable(page)
        assert desk.faults == []


def _set_and_change_password(chromium: Browser, site: DemoSite, link: str) -> None:
    context = chromium.new_context(ignore_https_errors=True, locale="zh-CN")
    page = context.new_page()
    page.goto(link)
    page.get_by_label("新密码", exact=True).fill(FIRST)
    page.get_by_label("再输一遍新密码").fill(FIRST)
    page.get_by_role("button", name="保存新密码").click()
    expect(page.get_by_text("新密码已设置")).to_be_visible()
    context.close()
    with seated(chromium, site, (LOGIN, FIRST), "/") as desk:
        with seated(chromium, site, (LOGIN, FIRST), "/") as second:
            desk.page.get_by_role("button", name="新来的").click()
            desk.page.get_by_role("menuitem", name="登录设备").click()
            sessions = desk.page.get_by_role("dialog")
            expect(sessions.get_by_text("本机")).to_be_visible()
            sessions.get_by_role("button", name="下线").click()
            expect(sessions.get_by_role("button", name="下线")).to_be_hidden()
            assert second.context.request.get(f"{site.url}/api/me").status == 401
        desk.page.keyboard.press("Escape")
        desk.page.get_by_role("button", name="新来的").click()
        desk.page.get_by_role("menuitem", name="修改密码").click()
        form = desk.page.get_by_role("dialog")
        form.get_by_label("当前密码").fill("wrong")
        form.get_by_label("新密码", exact=True).fill(SECOND)
        form.get_by_label("再输一遍新密码").fill(SECOND)
        form.get_by_role("button", name="保存新密码").click()
        expect(form.get_by_text("当前密码不正确")).to_be_visible()
        form.get_by_label("当前密码").fill(FIRST)
        form.get_by_role("button", name="保存新密码").click()
        expect(desk.page.get_by_text("密码已修改")).to_be_visible()
        assert desk.faults == []


def _revoke_and_disable(page: Page) -> None:
    card = page.locator("article.card")
    card.get_by_role("button", name="收回").click()
    page.get_by_role("dialog").get_by_role("button", name="收回").click()
    expect(card.get_by_text("已失效")).to_be_visible()
    card.get_by_role("button", name="停用").click()
    page.get_by_role("dialog").get_by_role("button", name="停用").click()
    expect(card.get_by_role("button", name="恢复使用")).to_be_visible()


def test_a_token_is_made_used_and_withdrawn_and_the_trail_tells(site: DemoSite, chromium: Browser) -> None:
    with seated(chromium, site, site.staff("administrator"), "/admin#tokens") as desk:
        page = desk.page
        page.get_by_role("button", name="新建凭证").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("名称").fill("试验热线")
        dialog.get_by_label("用途").select_option(label="接入通道")
        dialog.get_by_role("button", name="建立").click()
        secret = page.locator(".secret").inner_text()
        page.get_by_role("dialog").get_by_role("button", name="关闭").last.click()
        headers = {"Authorization": f"Bearer {secret}"}
        assert (
            chromium.new_context(ignore_https_errors=True)
            .request.get(f"{site.url}/api/vocab", headers=headers)
            .ok
        )
        row = page.get_by_role("row").filter(has_text="试验热线")
        row.get_by_role("button", name="吊销").click()
        page.get_by_role("dialog").get_by_role("button", name="吊销").click()
        expect(row.get_by_text("已吊销")).to_be_visible()
        page.get_by_role("link", name="审计").click()
        page.get_by_label("动作").select_option(label="凭证")
        page.get_by_role("button", name="查询").click()
        # The filter names a beginning: every act upon tokens, and nothing else.
        expect(page.get_by_role("row").filter(has_text="token.").first).to_be_visible()
        verbs = {item["verb"].split(".")[0] for item in desk.api("GET", "/api/audit?verb=token.")["items"]}
        assert verbs == {"token"}
        assert desk.faults == []
