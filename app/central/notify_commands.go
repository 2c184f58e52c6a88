package main

import (
	"context"
	"errors"
	"flag"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"flawmark/app/command"
	"flawmark/app/refund"
	"flawmark/storage/central"
	"flawmark/sync/notify"

	"github.com/google/uuid"
)

func noticesFlags(set *flag.FlagSet) {
	set.String("state", "", "only those in this `state`: waiting, sent, failed, moot, unwanted")
	set.Int("limit", 0, "at most so `many`, the newest; 0: all")
}

func listNotices(ctx context.Context, call *command.Call, c *centre) error {
	state := refund.NoticeState(call.Flag("state"))
	states := []refund.NoticeState{"", refund.NoticeWaiting, refund.NoticeSent, refund.NoticeFailed, refund.NoticeMoot, refund.NoticeUnwanted}
	if !slices.Contains(states, state) {
		return command.Fail("cli.setting_invalid", nil, "setting", "--state", "value", string(state), "want", "waiting, sent, failed, moot, unwanted")
	}
	limit, err := strconv.Atoi(call.Flag("limit"))
	if err != nil || limit < 0 {
		return command.Fail("cli.setting_invalid", nil, "setting", "--limit", "value", call.Flag("limit"), "want", "500")
	}
	filter := central.NoticeFilter{State: state, Limit: limit}
	each := func(write func(any) error) error {
		return c.store.EachNotice(ctx, filter, func(n refund.Notice) error { return write(n) })
	}
	titles := []string{
		"cli.title.notice", "cli.title.kind", "cli.title.medium", "cli.title.item", "cli.title.status",
		"cli.title.due", "cli.title.attempts", "cli.title.problem",
	}
	return call.Stream(each, titles, func(row any) []string {
		n := row.(refund.Notice)
		problem := ""
		if n.Problem != "" {
			problem = strings.TrimSpace(n.Code + " " + call.Words.Text(n.Problem))
		}
		return []string{
			n.ID, call.Words.Text("notice.kind." + string(n.Kind)), strings.TrimSpace(string(n.Medium) + " " + n.Hook),
			string(n.Snapshot.Item), call.Words.Text("notice.state." + string(n.State)), command.When(n.DueAt),
			strconv.Itoa(n.Attempts), problem,
		}
	}, "cli.no_notices")
}

// retryNotices sends the named notice, or all that failed.
func retryNotices(ctx context.Context, call *command.Call, c *centre) error {
	filter := central.NoticeFilter{State: refund.NoticeFailed}
	if len(call.Args) > 0 {
		filter = central.NoticeFilter{ID: call.Args[0]}
		if known, err := c.store.Notices(ctx, filter); err != nil || len(known) == 0 {
			return notKnown(call, err)
		}
	}
	n, err := c.store.RetryNotices(ctx, filter, c.now())
	if err != nil {
		return err
	}
	return sayRetried(call, n)
}

func sayRetried(call *command.Call, n int) error {
	_, err := call.Out.Write([]byte(call.Words.Count("cli.notices_retried", n) + "\n"))
	return err
}

func notKnown(_ *command.Call, err error) error {
	if err != nil {
		return err
	}
	return command.Fail("cli.not_found", nil)
}

func webhookFlags(set *flag.FlagSet) {
	set.Bool("allow-local", false, "let the address be in your own network, and http")
	set.String("shop", "", "tell of the orders of this `shop`, and of no others")
	set.Bool("all-orders", false, "tell of every order of the centre, those of shops, too")
}

func addWebhook(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "URL")
	}
	add := refund.Webhook{
		URL: call.Args[0], Local: call.Flag("allow-local") == "true",
		Shop: strings.TrimSpace(call.Flag("shop")), AllOrders: call.Flag("all-orders") == "true",
	}
	if add.AllOrders && add.Shop != "" {
		return command.Fail("cli.webhook_whose", nil)
	}
	if err := notify.CheckHookURL(add.URL, add.Local); err != nil {
		return inWords(err)
	}
	hook, err := c.store.AddWebhook(ctx, add, c.now())
	if errors.Is(err, central.ErrShopName) {
		return command.Fail("cli.webhook_shop_unknown", err, "shop", add.Shop)
	}
	if err != nil {
		return err
	}
	call.Say("cli.webhook_added", "id", hook.ID, "secret", hook.Secret)
	return nil
}

// inWords makes a failure of what tells others a sentence for whoever sits here.
func inWords(err error) error {
	if trouble, ok := errors.AsType[notify.Trouble](err); ok {
		return command.Fail(trouble.Key, err)
	}
	return err
}

func listWebhooks(ctx context.Context, call *command.Call, c *centre) error {
	hooks, err := c.store.Webhooks(ctx)
	if err != nil {
		return err
	}
	rows := make([]any, len(hooks))
	for i := range hooks {
		rows[i] = hooks[i]
	}
	titles := []string{"cli.title.webhook", "cli.title.tells_of", "cli.title.address", "cli.title.made_by", "cli.title.disabled"}
	return call.List(rows, titles, func(row any) []string {
		hook := row.(refund.Webhook)
		maker := ""
		if hook.MadeBy != "" {
			maker = call.Words.Text("cli.webhook_by_key", "id", hook.MadeBy)
		}
		return []string{hook.ID, tellsOf(call, hook), withoutQuery(hook.URL), maker, command.When(hook.DisabledAt)}
	}, "cli.no_webhooks")
}

// tellsOf says whose orders a webhook is told of.
func tellsOf(call *command.Call, hook refund.Webhook) string {
	switch {
	case hook.AllOrders:
		return call.Words.Text("cli.webhook_all_orders")
	case hook.Shop == "":
		return call.Words.Text("cli.webhook_own_orders")
	default:
		return hook.Shop
	}
}

// withoutQuery keeps what may be a secret of the shop off the screen.
func withoutQuery(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "?"
	}
	if u.RawQuery != "" {
		u.RawQuery = "…"
	}
	return u.String()
}

func removeWebhook(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "ID")
	}
	if err := c.store.RemoveWebhook(ctx, call.Args[0], c.now()); err != nil {
		return err
	}
	call.Say("cli.webhook_removed", "id", call.Args[0])
	return nil
}

func testWebhook(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "ID")
	}
	hook, err := c.store.Webhook(ctx, call.Args[0])
	if err != nil {
		return err
	}
	event := notify.Event{Type: refund.TellTest.Event(), At: c.now()}
	if err := notify.NewPoster(c.now).Post(ctx, hook, uuid.NewString(), event); err != nil {
		return inWords(err)
	}
	call.Say("cli.webhook_reached", "id", hook.ID)
	return nil
}

func replayFlags(set *flag.FlagSet) {
	set.Duration("since", 24*time.Hour, "how far back, such as `48h`")
}

func replayWebhook(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "ID")
	}
	hook, err := c.store.Webhook(ctx, call.Args[0])
	if err != nil {
		return err
	}
	since, err := time.ParseDuration(call.Flag("since"))
	if err != nil || since <= 0 {
		return command.Fail("cli.setting_invalid", err, "setting", "--since", "value", call.Flag("since"), "want", "48h")
	}
	n, err := c.store.RetryNotices(ctx, central.NoticeFilter{Hook: hook.ID, Since: c.now().Add(-since)}, c.now())
	if err != nil {
		return err
	}
	return sayRetried(call, n)
}
