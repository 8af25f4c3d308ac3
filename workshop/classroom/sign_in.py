"""Who may sign in to a class: by one password for all students, or by an account of each, with the pages for that.

Loaded inside the hub's container alone.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from jupyterhub import orm
from jupyterhub.auth import Authenticator
from jupyterhub.handlers import BaseHandler
from tornado.web import HTTPError, authenticated

from workshop.classroom import passwords
from workshop.classroom.accounts import LONGEST, SHORTEST, Account, Accounts
from workshop.classroom.names import plain_name
from workshop.classroom.settings import APPROVED, CLOSED, FOLDER, OPEN
from workshop.errors import UserError

#: The right to look after accounts, which is the teacher's.
MANAGES = "custom:class:accounts"

#: Seconds for which the hub takes it for granted that who has signed in still may.
LOOK_SECONDS = 60

#: Seconds that a wrong password costs: whoever guesses is slow.
PAUSE_SECONDS = 1.0

#: The accounts, in the hub's folder.
KEPT = Accounts(FOLDER / "accounts.json")


class SharedPassword(Authenticator):
    """One password for all students and another for the teacher. A name is kept in its plain spelling."""

    def normalize_username(self, username: str) -> str:
        """The plain spelling of what was typed; '' is refused by the hub."""
        return plain_name(username)

    async def authenticate(self, handler: Any, data: dict[str, str]) -> dict[str, Any] | None:
        """Whether the password is that of the name."""
        name = plain_name(data["username"])
        # The teacher is no admin of the hub, who could open every server.
        return {"name": name, "admin": False} if await self.opens(name, data["password"]) else None

    async def opens(self, name: str, password: str) -> bool:
        """Whether somebody with this plain name may sign in with this password."""
        return passwords.read(FOLDER / "passwords.json").opens(name, password)


class AccountAuthenticator(SharedPassword):
    """A password for each student, who signs up, and the teacher's."""

    #: APPROVED, OPEN or CLOSED; set by `workshop.classroom.hub`.
    sign_up = APPROVED

    def __init__(self, **more: Any):
        super().__init__(**more)
        self._turns: dict[str, asyncio.Lock] = {}

    async def opens(self, name: str, password: str) -> bool:
        """Whether somebody with this plain name may sign in with this password; tries of one name follow each other."""
        if name == passwords.TEACHER:
            return await super().opens(name, password)
        try:
            # Only names that are there have turns, so that nobody makes the list of them long.
            if name not in KEPT.all():
                return False
            async with self._turns.setdefault(name, asyncio.Lock()):
                if KEPT.opens(name, password):
                    return True
                await asyncio.sleep(PAUSE_SECONDS)
                return False
        except UserError as error:
            raise HTTPError(403, str(error)) from None

    async def refresh_user(self, user: Any, handler: Any = None) -> bool:
        """Whether somebody who has signed in before still may."""
        account = KEPT.all().get(user.name)
        return user.name == passwords.TEACHER or (account is not None and account.is_admitted)

    def get_handlers(self, app: Any) -> list[tuple[str, type[BaseHandler]]]:
        """The pages for accounts besides that for signing in."""
        return [*super().get_handlers(app), ("/signup", SignUp), ("/password", ChangePassword), ("/accounts", Manage)]


class Page(BaseHandler):
    """A page with a form: what was done, or why not, is said above it."""

    template = ""

    async def show(self, said: str = "", is_done: bool = True, **more: Any) -> None:
        """Send the page."""
        limits = {"shortest": SHORTEST, "longest": LONGEST}
        self.finish(await self.render_template(self.template, said=said, is_done=is_done, **limits, **more))

    async def answer(self, act: Callable[[], str]) -> None:
        """Do what the form asks for, and show the page with the sentence that comes of it."""
        try:
            said, is_done = act(), True
        except UserError as error:
            said, is_done = str(error), False
            self.set_status(400)
        await self.show(said, is_done)

    def new_password(self) -> str:
        """The password that was typed twice.

        Raises:
            UserError: the two differ.
        """
        first, second = (self.get_body_argument(field, "", strip=False) for field in ("password", "again"))
        if first != second:
            raise UserError("The two new passwords differ: type the same one twice.")
        return first

    def end_sessions(self, *names: str) -> None:
        """Whoever has signed in as one of these does so again, everywhere: the password is another one."""
        for user in filter(None, (orm.User.find(self.db, name) for name in names)):
            user.cookie_id = orm.new_token()
            for token in self.db.query(orm.APIToken).filter_by(user_id=user.id):
                if token.session_id:
                    self.db.delete(token)
            self.db.commit()


class SignUp(Page):
    """Where students make an account."""

    template = "signup.html"

    async def prepare(self) -> None:
        """Refuse where nobody may sign up any more.

        Raises:
            HTTPError: that is so.
        """
        await super().prepare()
        if self.authenticator.sign_up == CLOSED:
            raise HTTPError(404, "Nobody can sign up here any more: ask your teacher.")

    async def get(self) -> None:
        """The form."""
        await self.show()

    async def post(self) -> None:
        """Make the account."""
        await self.answer(self._sign_up)

    def _sign_up(self) -> str:
        typed = self.get_body_argument("username", "")
        # Work that lies here under a name is given to nobody without the teacher.
        is_admitted = self.authenticator.sign_up == OPEN and orm.User.find(self.db, plain_name(typed)) is None
        name = KEPT.sign_up(typed, self.new_password(), is_admitted)
        if is_admitted:
            return f"Welcome, {name}: you can sign in now."
        return f"Your account '{name}' is made. As soon as your teacher has let it in, you can sign in."


class ChangePassword(Page):
    """Where everybody with an account gives it another password."""

    template = "password.html"

    @authenticated
    async def get(self) -> None:
        """The form."""
        await self.show()

    @authenticated
    async def post(self) -> None:
        """Change it."""
        await self.answer(self._change)

    def _change(self) -> str:
        user = self.current_user
        if user.name == passwords.TEACHER:
            raise UserError("The teacher's password is made on the server: ./start.sh class passwords")
        KEPT.change(user.name, self.get_body_argument("old", "", strip=False), self.new_password())
        self.end_sessions(user.name)
        self.set_login_cookie(user)
        return "Your password is changed. Other browsers in which you are signed in ask for it soon."


class Manage(Page):
    """Where the teacher looks after accounts."""

    template = "accounts.html"

    async def prepare(self) -> None:
        """Refuse who may not look after accounts.

        Raises:
            HTTPError: that is so.
        """
        await super().prepare()
        if self.current_user and MANAGES not in self.parsed_scopes:
            raise HTTPError(403, "The teacher alone looks after accounts.")

    async def show(self, said: str = "", is_done: bool = True, **more: Any) -> None:
        """Send the page, with all accounts."""
        accounts: dict[str, Account] = KEPT.all()
        with_work = {name for name in accounts if orm.User.find(self.db, name)}
        await super().show(said, is_done, accounts=accounts, with_work=with_work, **more)

    @authenticated
    async def get(self) -> None:
        """The list."""
        await self.show()

    @authenticated
    async def post(self) -> None:
        """Do one thing with one account, or with several."""
        await self.answer(self._do)

    def _do(self) -> str:
        names = self.get_body_arguments("name")
        told = ", ".join(names)
        match self.get_body_argument("do", ""):
            case "admit":
                KEPT.admit(names)
                return f"Let in: {told}."
            case "lock":
                KEPT.lock(names)
                self.end_sessions(*names)
                return f"Locked: {told}. Pages of their servers that are open answer for five minutes more."
            case "remove":
                KEPT.remove(names)
                self.end_sessions(*names)
                return f"Removed: {told}. Work that was done under the name stays on the server."
            case "reset" if len(names) == 1:
                password = KEPT.reset(names[0])
                self.end_sessions(names[0])
                return f"The new password of {told}, shown this once: {password}"
        raise UserError("That is nothing that this page can do: load it again.")
