package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"slices"
	"strings"

	"flawmark/app/command"
	"flawmark/storage/central"
	"flawmark/sync/shops"
)

func shopFlags(set *flag.FlagSet) {
	set.String("scope", shops.CasesRead+","+shops.EventsRead, "what the key may do, with commas: "+strings.Join(shops.Scopes(), ", "))
	set.Bool("all-orders", false, "let it see and keep every order of the centre, those of the command line and of other shops, too")
}

// addShop makes a key and prints it, this once.
func addShop(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "NAME")
	}
	scopes := strings.FieldsFunc(call.Flag("scope"), func(r rune) bool { return r == ',' || r == ' ' })
	for _, scope := range scopes {
		if !slices.Contains(shops.Scopes(), scope) {
			return command.Fail("cli.setting_invalid", nil, "setting", "--scope", "value", scope, "want", strings.Join(shops.Scopes(), ", "))
		}
	}
	k, secret, err := c.store.AddShopKey(ctx, call.Args[0], scopes, call.Flag("all-orders") == "true", c.now())
	if errors.Is(err, central.ErrShopName) {
		return command.Fail("cli.shop_name", err)
	}
	if err != nil {
		return err
	}
	if call.JSON {
		return json.NewEncoder(call.Out).Encode(map[string]any{"id": k.ID, "shop": k.Shop, "scopes": k.Scopes, "all_orders": k.AllOrders, "key": secret})
	}
	call.Say("cli.shop_added", "id", k.ID, "key", secret)
	return nil
}

func listShops(ctx context.Context, call *command.Call, c *centre) error {
	keys, err := c.store.ShopKeys(ctx)
	if err != nil {
		return err
	}
	rows := make([]any, len(keys))
	for i := range keys {
		rows[i] = keys[i]
	}
	titles := []string{"cli.title.key", "cli.title.shop", "cli.title.scopes", "cli.title.used", "cli.title.revoked"}
	return call.List(rows, titles, func(row any) []string {
		k := row.(central.ShopKey)
		scopes := strings.Join(k.Scopes, " ")
		if k.AllOrders {
			scopes += " " + call.Words.Text("cli.shop_all_orders")
		}
		return []string{k.ID, k.Shop, scopes, command.When(k.UsedAt), command.When(k.RevokedAt)}
	}, "cli.no_shops")
}

func revokeShop(ctx context.Context, call *command.Call, c *centre) error {
	if len(call.Args) != 1 {
		return command.Fail("cli.args_missing", nil, "args", "ID")
	}
	if err := c.store.RevokeShopKey(ctx, call.Args[0], c.now()); err != nil {
		return err
	}
	call.Say("cli.shop_revoked", "id", call.Args[0])
	hooks, err := c.store.Webhooks(ctx)
	if err != nil {
		return err
	}
	for _, hook := range hooks {
		if hook.MadeBy == call.Args[0] {
			call.Say("cli.shop_revoked_hook", "id", hook.ID, "address", withoutQuery(hook.URL))
		}
	}
	return nil
}
